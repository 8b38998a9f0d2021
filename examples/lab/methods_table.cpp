// SPDX-License-Identifier: MIT
// examples/lab/methods_table.cpp: calibrates, makes, trains and measures one method after another.
#include "methods_table.hpp"

#include "joined.hpp"
#include "memory.hpp"
#include "table_layout.hpp"

#include <lrqat/linear/dense_linear.hpp>
#include <lrqat/train/distilled.hpp>
#include <lrqat/train/next_token.hpp>
#include <lrqat/train/self_generated.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <numeric>
#include <optional>
#include <tuple>

namespace lrqat::lab {

namespace {

double mean_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) /
         static_cast<double>(std::max<std::size_t>(values.size(), 1));
}

const char* text_of(Deployed deployed) {
  switch (deployed) {
    case Deployed::codes:
      return "codes";
    case Deployed::codes_and_turned:
      return "codes, x turned";
    case Deployed::codes_and_sparse:
      return "codes + sparse";
    case Deployed::codes_and_branch:
      break;
  }
  return "codes + branch";
}

Model float_model(const LlamaWeights& weights) {
  return Model(weights, [](MatrixView<const float> weight, const LinearName&) {
    return AnyLinear(DenseLinear<float>(weight));
  });
}

/// A step whose loss is the mean of those under each width of its layers.
auto under_each_width(Model& model, const std::vector<int>& widths) {
  return [&model, &widths](std::span<const Token> inputs, std::span<const Token> targets,
                           std::size_t batch, std::size_t length, float scale) {
    double loss = 0;
    const double part = 1 / static_cast<double>(widths.size());
    for (const int bits : widths) {
      model.for_each_linear([&](const LinearName&, AnyLinear& layer) { set_width(layer, bits); });
      loss += part * model.loss_and_gradients(inputs, targets, batch, length,
                                              part * static_cast<double>(scale));
    }
    return loss;
  };
}

/// What the rows of one table share.
class Bench {
 public:
  Bench(const LlamaWeights& weights, const Splits& splits, const MethodsPlan& plan,
        ProgressBar& progress)
      : weights_(weights), splits_(splits), plan_(plan), progress_(progress),
        context_(training_window_length(weights.config, plan.recipe)) {}

  void run(MethodRow& row) {
    const PaperMethod& method = *row.method;
    row.bits_per_weight = bits_per_weight(method, row.bits);
    const std::size_t seeds = method.rates ? plan_.seeds : 1;
    for (std::size_t seed = 0; seed < seeds; ++seed) {
      progress_.begin(seeds == 1 ? row.name() : joined(row.name(), ", seed ", seed + 1));
      Adaptation adaptation = plan_.adaptation;
      adaptation.seed += seed;
      const auto start = clock::now();
      Model model = made(method, row.bits, adaptation);
      if (method.reconstruction) model = reconstructed(std::move(model), method, row.bits, adaptation);
      const auto guide = method.guide ? method.guide(model) : nullptr;
      model.set_guide(guide.get());
      if (method.rates) {
        row.trained = trained_numbers(model);
        row.peak_bytes = linear_peak_bytes(model, plan_.recipe.batch * context_);
        train_row(model, method, row.bits, adaptation.seed);
      }
      if (method.finished)
        model = model.convert<AnyLinear>([&](const AnyLinear& layer, const LinearName&) {
          return method.finished(layer, row.bits);
        });
      row.seconds += std::chrono::duration<double>(clock::now() - start).count() /
                     static_cast<double>(seeds);
      row.dev.push_back(measure(model, splits_.dev, plan_.measure, progress_).perplexity);
      row.test.push_back(measure(model, splits_.test, plan_.measure, progress_).perplexity);
      model.set_guide(nullptr);
    }
  }

 private:
  using clock = std::chrono::steady_clock;

  double bits_per_weight(const PaperMethod& method, int bits) const {
    double all = 0, weights = 0;
    for (const LinearKind kind : linear_kinds) {
      const Shape shape = linear_shape(weights_.config, kind);
      all += method.size(shape, bits, plan_.adaptation.rank);
      weights += static_cast<double>(shape.size());
    }
    return all / weights;
  }

  /// Statistics of the float model's inputs, on the first windows of the training text.
  Calibration calibrated(const LlamaWeights& weights) {
    Model model = float_model(weights);
    return calibrate(model, splits_.train.tokens,
                     {.text = {.context = context_, .windows = plan_.calibration_windows}});
  }

  Model made(const PaperMethod& method, int bits, const Adaptation& adaptation) {
    std::optional<LlamaWeights> folded;
    std::optional<Calibration> seen;
    if (method.calibrates) seen.emplace(calibrated(weights_));
    if (method.fold) {
      folded.emplace(method.fold(weights_, *seen, bits));
      seen.emplace(calibrated(*folded));
    }
    return Model(
        folded ? *folded : weights_,
        [&](MatrixView<const float> weight, const LinearName& which) {
          return method.layer({.weight = weight,
                               .name = which,
                               .bits = bits,
                               .inputs = seen ? &seen->inputs(which) : nullptr,
                               .options = layer_options(adaptation, which)});
        },
        LlamaOptions{.recompute = plan_.recipe.recompute});
  }

  std::span<const Token> training_text(const PaperMethod& method, Model& teacher) {
    if (!method.writes_its_text) return splits_.train.tokens;
    constexpr std::size_t sequences = 64;
    if (written_.empty())
      written_ = self_generated_tokens(
          teacher, {.sequences = sequences, .length = context_, .seed = plan_.adaptation.seed},
          [&](std::size_t done) { progress_.part(done, sequences, "texts written"); });
    return written_;
  }

  /// Trained block by block on as many windows as calibration reads.
  Model reconstructed(Model model, const PaperMethod& method, int bits, const Adaptation& adaptation) {
    Model exact = float_model(weights_);
    const std::size_t windows =
        std::min(plan_.calibration_windows, splits_.train.tokens.size() / context_);
    const auto text = std::span<const Token>(splits_.train.tokens).first(windows * context_);
    BlockReconstruction blocks(model, exact, text, context_);
    while (!blocks.is_done()) {
      progress_.part(blocks.block(), weights_.config.layers, "blocks");
      blocks.train(method.reconstruction(bits));
      blocks.advance();
    }
    return model.convert<AnyLinear>([&](const AnyLinear& layer, const LinearName& which) {
      return method.converted(layer, layer_options(adaptation, which));
    });
  }

  void train_row(Model& model, const PaperMethod& method, int bits, std::uint64_t seed) {
    std::optional<Model> teacher;
    if (method.follows_teacher || method.writes_its_text || method.step)
      teacher.emplace(float_model(weights_));
    const std::span<const Token> text =
        teacher ? training_text(method, *teacher) : std::span<const Token>(splits_.train.tokens);
    const std::uint64_t steps = plan_.recipe.steps, phase_steps = steps / method.phases;
    for (std::size_t phase = 0; phase < method.phases; ++phase) {
      if (phase > 0)
        model.for_each_linear([&](const LinearName&, AnyLinear& l) { method.phase(l, phase); });
      AdamW optimizer(model.parameters(), optimizer_options(method, bits));
      TokenBatches<Token> batches(text, context_, plan_.recipe.batch, seed + phase);
      TrainPlan plan;
      plan.steps = phase + 1 < method.phases ? phase_steps : steps - phase * phase_steps;
      plan.accumulation = plan_.recipe.accumulate;
      plan.schedule = [whole = LinearWarmupDecay(steps / 10, steps),
                       first = phase * phase_steps](std::uint64_t step) { return whole(first + step); };
      plan.max_norm = 1.0;
      plan.after_step = [&model] { model.after_step(); };
      if (method.before_update)
        plan.before_update = [&](std::uint64_t step) {
          const double done = static_cast<double>(phase * phase_steps + step + 1) /
                              static_cast<double>(steps);
          model.for_each_linear(
              [&](const LinearName&, AnyLinear& l) { method.before_update(l, done); });
        };
      TrainObserver observer;
      observer.on_step = [&](const StepReport& report) { progress_.training(report); };
      if (method.step)
        train(plan, batches, optimizer, method.step({model, *teacher, optimizer}, plan),
              observer);
      else if (method.follows_teacher)
        train(plan, batches, optimizer, Distilled(model, *teacher), observer);
      else if (!method.widths.empty())
        train(plan, batches, optimizer, under_each_width(model, method.widths), observer);
      else
        train(plan, batches, optimizer, next_token(model), observer);
    }
    progress_.finish();
  }

  AdamWOptions optimizer_options(const PaperMethod& method, int bits) const {
    const LearningRates usual = method.rates(bits);
    AdamWOptions options;
    options.learning_rate = plan_.recipe.rate.value_or(usual.main);
    for (const Role role : {Role::scale, Role::zero_point, Role::offset})
      options.rules.push_back(
          {.role = role, .learning_rate = plan_.recipe.scale_rate.value_or(usual.scale)});
    return options;
  }

  const LlamaWeights& weights_;
  const Splits& splits_;
  const MethodsPlan& plan_;
  ProgressBar& progress_;
  std::size_t context_;
  std::vector<Token> written_;
};

}  // namespace

std::string MethodRow::name() const { return joined(method->name, "-w", bits); }

std::vector<MethodRow> chosen_rows(const std::vector<PaperMethod>& methods,
                                   const std::vector<std::string>& names) {
  std::vector<MethodRow> rows;
  for (const std::string& name : names) {
    bool found = false;
    for (const PaperMethod& method : methods)
      for (const int bits : method.bits) {
        const MethodRow row{.method = &method, .bits = bits};
        if (name != "all" && name != method.name && name != row.name()) continue;
        found = true;
        rows.push_back(row);
      }
    std::string known;
    for (const PaperMethod& method : methods) known += (known.empty() ? "" : ", ") + method.name;
    expects(found, "--methods ", name, ": there are ", known, " and all; \"", methods[0].name,
            "-w", methods[0].bits[0], "\" is one row");
  }
  return rows;
}

std::vector<MethodRow> make_methods_table(const LlamaWeights& weights, const Splits& splits,
                                          const MethodsPlan& plan, std::vector<MethodRow> rows,
                                          ProgressBar& progress) {
  for (const MethodRow& row : rows)
    expects(!row.method->rates || plan.recipe.steps >= row.method->phases, "--steps ",
            plan.recipe.steps, ": ", row.name(), " trains in ", row.method->phases, " phases");
  Bench bench(weights, splits, plan, progress);
  for (MethodRow& row : rows) bench.run(row);
  progress.finish();
  std::stable_sort(rows.begin(), rows.end(), [](const MethodRow& a, const MethodRow& b) {
    return std::tuple(-a.bits, mean_of(a.test)) < std::tuple(-b.bits, mean_of(b.test));
  });
  return rows;
}

std::string methods_text(const std::vector<MethodRow>& rows) {
  std::vector<std::vector<std::string>> cells{{"row", "source", "deployed", "perplexity",
                                               "bits/weight", "trained", "linear MB", "seconds"}};
  for (const MethodRow& row : rows)
    cells.push_back({row.name(), row.method->source, text_of(row.method->deployed),
                     mean_text(row.test), fixed(row.bits_per_weight, 3),
                     row.trained == 0 ? "-" : grouped_digits(row.trained),
                     row.peak_bytes == 0 ? "-" : fixed(static_cast<double>(row.peak_bytes) / 1e6, 2),
                     fixed(row.seconds, 1)});
  return markdown_table(cells, 3);
}

JsonObject methods_json(const std::vector<MethodRow>& rows) {
  JsonObject list = JsonObject::array();
  for (const MethodRow& row : rows)
    list.push_back({{"row", row.name()},
                    {"method", row.method->name},
                    {"bits", row.bits},
                    {"source", row.method->source},
                    {"deployed", text_of(row.method->deployed)},
                    {"test_ppl", row.test},
                    {"dev_ppl", row.dev},
                    {"bits_per_weight", row.bits_per_weight},
                    {"trainable", row.trained},
                    {"linear_peak_bytes", row.peak_bytes},
                    {"seconds", row.seconds}});
  return JsonObject{{"rows", list}};
}

LinePlot methods_plot(const std::vector<MethodRow>& rows, const std::string& title) {
  LinePlot plot{.title = title, .x_label = "bits per weight", .y_label = "perplexity", .log_y = true};
  for (const MethodRow& row : rows) {
    auto series = std::find_if(plot.series.begin(), plot.series.end(), [&](const PlotSeries& each) {
      return each.name == row.method->name;
    });
    if (series == plot.series.end()) {
      plot.series.push_back({.name = row.method->name});
      series = plot.series.end() - 1;
    }
    series->x.push_back(row.bits_per_weight);
    series->y.push_back(mean_of(row.test));
  }
  return plot;
}

}  // namespace lrqat::lab
