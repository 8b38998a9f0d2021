// SPDX-License-Identifier: MIT
// examples/lab/sweep.cpp: the runs of a sweep.
#include "sweep.hpp"

#include "experiment.hpp"
#include "from_scratch.hpp"
#include "joined.hpp"
#include "scheme_names.hpp"

#include <lrqat/core/expects.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <system_error>

namespace lrqat::lab {

namespace {

std::string run_name(const SweepPoint& point) {
  return joined(point.size.name(), ", ", point.tokens, " tokens, ",
                point.group_size == 1 ? "unquantized" : joined("groups of ", point.group_size));
}

PretrainPlan plan_of_run(const SweepPlan& plan, const SweepPoint& point) {
  PretrainPlan run{.config = sweep_config(plan, point.size),
                   .steps = point.tokens / (plan.batch * plan.context),
                   .seed = plan.seed,
                   .batch = plan.batch,
                   .learning_rate = plan.rate};
  if (point.group_size == 1) return run;
  run.scheme = plan.scheme;
  run.scheme.sharing = Sharing::group;
  run.scheme.group_size = point.group_size;
  run.scale_rate = plan.scale_rate;
  return run;
}

SweepPoint finished_point(const FinishedRuns& finished, std::size_t i) {
  return {.size = parse_sweep_size(finished.value<std::string>(i, "size")),
          .parameters = finished.value<std::size_t>(i, "parameters"),
          .tokens = finished.value<std::uint64_t>(i, "tokens"),
          .group_size = finished.value<std::size_t>(i, "group_size"),
          .dev_loss = finished.value<double>(i, "dev_loss"),
          .test_loss = finished.value<double>(i, "test_loss")};
}

}  // namespace

JsonObject json_of_point(const SweepPoint& point) {
  return {{"size", point.size.name()},  {"parameters", point.parameters},
          {"tokens", point.tokens},     {"group_size", point.group_size},
          {"dev_loss", point.dev_loss}, {"test_loss", point.test_loss}};
}

std::string SweepSize::name() const { return joined(dim, 'x', layers); }

SweepSize parse_sweep_size(const std::string& text) {
  SweepSize size;
  const char* const end = text.data() + text.size();
  const auto [times, first] = std::from_chars(text.data(), end, size.dim);
  bool is_size = first == std::errc() && times != end && *times == 'x';
  if (is_size) {
    const auto [rest, second] = std::from_chars(times + 1, end, size.layers);
    is_size = second == std::errc() && rest == end && text == size.name();
  }
  expects(is_size && size.dim % 16 == 0 && size.dim >= 16 && size.dim <= 4096 && size.layers >= 1 &&
              size.layers <= 128,
          "size '", text, "' is not <width>x<layers>, such as 64x3; the width is a multiple of 16 ",
          "up to 4096, there are 1 to 128 layers");
  return size;
}

LlamaConfig sweep_config(const SweepPlan& plan, const SweepSize& size) {
  const std::size_t heads = size.dim / 16;
  return {.dim = size.dim,
          .hidden_dim = (size.dim * 8 / 3 + 63) / 64 * 64,
          .layers = size.layers,
          .heads = heads,
          .kv_heads = heads,
          .head_dim = 16,
          .vocab = plan.vocab,
          .context = plan.context};
}

std::vector<SweepPoint> sweep_points(const SweepPlan& plan) {
  std::vector<std::size_t> group_sizes{1};
  group_sizes.insert(group_sizes.end(), plan.group_sizes.begin(), plan.group_sizes.end());
  const std::size_t step = plan.batch * plan.context;
  expect_pass_size(plan.batch, plan.context);
  std::vector<SweepPoint> points;
  for (const SweepSize& size : plan.sizes) {
    const LlamaConfig config = sweep_config(plan, size);
    for (const std::uint64_t tokens : plan.token_counts) {
      expects(tokens >= step, "--train-tokens ", tokens, ": one step has ", step, " tokens (",
              plan.batch, " windows of ", plan.context, ")");
      for (const std::size_t group_size : group_sizes) {
        expects(size.dim % group_size == 0 && config.hidden_dim % group_size == 0, "--groups ",
                group_size, ": does not divide the layers' ", size.dim, " and ", config.hidden_dim,
                " inputs at size ", size.name());
        const SweepPoint point{.size = size,
                               .parameters = linear_weights(config),
                               .tokens = tokens / step * step,
                               .group_size = group_size};
        for (const SweepPoint& other : points)
          expects(!point.is_same_run(other), "the sweep has a run twice: ", run_name(point),
                  " (token counts are rounded to whole steps of ", step, ")");
        points.push_back(point);
      }
    }
  }
  return points;
}

std::string sweep_fingerprint(const SweepPlan& plan, const Splits& splits) {
  Scheme scheme = plan.scheme;
  scheme.sharing = Sharing::channel;
  scheme.group_size = 0;
  return joined("text ", fingerprint_of(splits.train), ", dev ", fingerprint_of(splits.dev),
                ", test ", fingerprint_of(splits.test), ", vocab ", plan.vocab, ", scheme ",
                name_of(scheme), ", batch ", plan.batch, ", context ", plan.context, ", rates ",
                plan.rate, " and ", plan.scale_rate, ", seed ", plan.seed, ", windows ",
                plan.windows);
}

std::optional<std::vector<SweepPoint>> run_sweep(const SweepPlan& plan, const Splits& splits,
                                                 FinishedRuns* finished, ProgressBar& progress,
                                                 const std::atomic<bool>* stop) {
  std::vector<SweepPoint> points = sweep_points(plan);
  std::vector<bool> is_there(points.size());
  for (std::size_t run = 0; finished != nullptr && run < finished->runs().size(); ++run) {
    const SweepPoint point = finished_point(*finished, run);
    for (std::size_t i = 0; i < points.size(); ++i)
      if (points[i].is_same_run(point)) {
        points[i] = point;
        is_there[i] = true;
      }
  }
  if (const auto kept = std::count(is_there.begin(), is_there.end(), true); kept != 0)
    progress.note(joined(kept, " of ", points.size(), " runs are there already"));
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (is_there[i]) continue;
    SweepPoint& point = points[i];
    const PretrainPlan run = plan_of_run(plan, point);
    progress.begin(joined("run ", i + 1, " of ", points.size(), ", ", run_name(point)));
    try {
      Model model = model_from_scratch(run);
      if (!train_from_scratch(model, run, splits.train, progress, stop)) return std::nullopt;
      const Measure how{.context = plan.context, .windows = plan.windows};
      point.dev_loss = measure(model, splits.dev, how, progress).nll;
      point.test_loss = measure(model, splits.test, how, progress).nll;
      expects(std::isfinite(point.dev_loss) && std::isfinite(point.test_loss), "a loss of ",
              std::isfinite(point.dev_loss) ? point.test_loss : point.dev_loss);
    } catch (const Error& error) {
      fail("run ", i + 1, " (", run_name(point), "): ", error.what());
    }
    if (finished != nullptr) finished->append(json_of_point(point));
  }
  progress.finish();
  return points;
}

}  // namespace lrqat::lab
