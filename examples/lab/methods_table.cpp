// SPDX-License-Identifier: MIT
// examples/lab/methods_table.cpp: calibrates, makes, trains and measures one method after another.
#include "methods_table.hpp"

#include "joined.hpp"
#include "memory.hpp"

#include <lrqat/linear/dense_linear.hpp>
#include <lrqat/train/distilled.hpp>
#include <lrqat/train/next_token.hpp>
#include <lrqat/train/self_generated.hpp>
#include <lrqat/train/smooth_quant_start.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>
#include <tuple>

namespace lrqat::lab {

namespace {

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
        FinishedRuns* finished, ProgressBar& progress, const std::atomic<bool>* stop)
      : weights_(weights),
        splits_(splits),
        plan_(plan),
        finished_(finished),
        progress_(progress),
        stop_(stop),
        context_(training_window_length(weights.config, plan.recipe)) {}

  /// Whether it came to its end.
  bool run(MethodRow& row) {
    const PaperMethod& method = *row.method;
    row.bits_per_weight = bits_per_weight(method, row.bits);
    const bool tunes = method.rates && plan_.tunes_rates;
    std::optional<MethodRun> best;
    const auto try_rate = [&](double factor) {  // false: stopped
      try {
        const auto run = finished_run(row, plan_.adaptation.seed, factor);
        if (run && (!best || run->dev < best->dev)) best = run;
        return run.has_value();
      } catch (const Error& error) {  // rates that are too high for it; others may do
        if (!tunes) throw;
        progress_.note(error.what());
        return true;
      }
    };
    if (!try_rate(1.0)) return false;
    if (tunes) {
      double low = 1.0 / 3, high = 3.0;
      if (!try_rate(low) || !try_rate(high)) return false;
      expects(best.has_value(), row.name(), ": training failed with each learning rate");
      // The best at an end: further that way, until one is not better.
      for (; best->rate_factor == low && low / 3 > 1 / furthest; low /= 3)
        if (!try_rate(low / 3)) return false;
      for (; best->rate_factor == high && high * 3 < furthest; high *= 3)
        if (!try_rate(high * 3)) return false;
    }
    row.runs = {*best};
    for (std::size_t more = 1; more < (method.rates ? plan_.seeds : 1); ++more) {
      const auto run = finished_run(row, plan_.adaptation.seed + more, best->rate_factor);
      if (!run) return false;
      row.runs.push_back(*run);
    }
    return true;
  }

 private:
  using clock = std::chrono::steady_clock;
  static constexpr double furthest = 30;  // what usual rates may be off by: 1/27 and 27 are tried

  /// The run that is there, or a new one. Nothing where it was stopped.
  std::optional<MethodRun> finished_run(const MethodRow& row, std::uint64_t seed, double factor) {
    for (std::size_t i = 0; finished_ != nullptr && i < finished_->runs().size(); ++i)
      if (finished_->value<std::string>(i, "row") == row.name() &&
          finished_->value<std::uint64_t>(i, "seed") == seed &&
          finished_->value<double>(i, "rate_factor") == factor)
        return MethodRun{.seed = seed,
                         .rate_factor = factor,
                         .dev = finished_->value<double>(i, "dev_ppl"),
                         .test = finished_->value<double>(i, "test_ppl"),
                         .trained = finished_->value<std::size_t>(i, "trainable"),
                         .peak_bytes = finished_->value<std::size_t>(i, "linear_peak_bytes"),
                         .seconds = finished_->value<double>(i, "seconds")};
    const std::string name = joined(row.name(), ", seed ", seed,
                                    factor == 1 ? std::string() : joined(", rates x ", factor));
    progress_.begin(name);
    std::optional<MethodRun> run;
    try {
      run = new_run(*row.method, row.bits, seed, factor);
    } catch (const Error& error) {
      fail(name, ": ", error.what());
    }
    if (run && finished_ != nullptr)
      finished_->append({{"row", row.name()},
                         {"seed", run->seed},
                         {"rate_factor", run->rate_factor},
                         {"dev_ppl", run->dev},
                         {"test_ppl", run->test},
                         {"trainable", run->trained},
                         {"linear_peak_bytes", run->peak_bytes},
                         {"seconds", run->seconds}});
    return run;
  }

  std::optional<MethodRun> new_run(const PaperMethod& method, int bits, std::uint64_t seed,
                                   double factor) {
    if (is_stopped()) return std::nullopt;
    MethodRun run{.seed = seed, .rate_factor = factor};
    Adaptation adaptation = plan_.adaptation;
    adaptation.seed = seed;
    const auto start = clock::now();
    Model model = made(method, bits, adaptation);
    const auto count_trained = [&] {  // the most of what its stages train
      run.trained = std::max(run.trained, trained_numbers(model));
      run.peak_bytes =
          std::max(run.peak_bytes, linear_peak_bytes(model, plan_.recipe.batch * context_));
    };
    if (method.reconstruction) {
      count_trained();
      model = reconstructed(std::move(model), method, bits, adaptation);
    }
    const auto guide = method.guide ? method.guide(model) : nullptr;
    model.set_guide(guide.get());
    if (method.rates) {
      count_trained();
      train_row(model, method, bits, seed, factor);
    }
    if (is_stopped()) return std::nullopt;
    if (method.finished)
      model = model.convert<AnyLinear>(
          [&](const AnyLinear& layer, const LinearName&) { return method.finished(layer, bits); });
    run.seconds = std::chrono::duration<double>(clock::now() - start).count();
    run.dev = measure(model, splits_.dev, plan_.measure, progress_).perplexity;
    run.test = measure(model, splits_.test, plan_.measure, progress_).perplexity;
    model.set_guide(nullptr);
    expects(std::isfinite(run.dev) && std::isfinite(run.test), "a perplexity of ",
            std::isfinite(run.dev) ? run.test : run.dev);
    return run;
  }

  bool is_stopped() const { return stop_ != nullptr && stop_->load(); }

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
    constexpr std::uint64_t seed = 1;  // of all runs, whatever their own
    if (written_.empty())
      written_ = self_generated_tokens(
          teacher, {.sequences = sequences, .length = context_, .seed = seed},
          [&](std::size_t done) { progress_.part(done, sequences, "texts written"); });
    return written_;
  }

  /// Trained block by block on as many windows as calibration reads.
  Model reconstructed(Model model, const PaperMethod& method, int bits,
                      const Adaptation& adaptation) {
    Model exact = float_model(weights_);
    const std::size_t windows =
        std::min(plan_.calibration_windows, splits_.train.tokens.size() / context_);
    const auto text = std::span<const Token>(splits_.train.tokens).first(windows * context_);
    std::optional<Calibration> seen;
    if (method.learns_transforms) seen.emplace(calibrated(weights_));
    BlockReconstruction blocks(model, exact, text, context_);
    while (!blocks.is_done() && !is_stopped()) {
      const std::size_t b = blocks.block();
      progress_.part(b, weights_.config.layers, "blocks");
      const ReconstructionPlan plan = method.reconstruction(bits);
      if (seen) {
        EquivalentTransform transform(
            weights_.config, smooth_quant_start(weights_.config, weights_.blocks[b], *seen, b));
        blocks.train(plan, transform);
      } else {
        blocks.train(plan);
      }
      blocks.advance();
    }
    return model.convert<AnyLinear>([&](const AnyLinear& layer, const LinearName& which) {
      return method.converted(layer, layer_options(adaptation, which));
    });
  }

  void train_row(Model& model, const PaperMethod& method, int bits, std::uint64_t seed,
                 double factor) {
    std::optional<Model> teacher;
    if (method.follows_teacher || method.writes_its_text || method.step)
      teacher.emplace(float_model(weights_));
    const std::span<const Token> text =
        teacher ? training_text(method, *teacher) : std::span<const Token>(splits_.train.tokens);
    const std::uint64_t steps = plan_.recipe.steps, phase_steps = steps / method.phases;
    for (std::size_t phase = 0; phase < method.phases && !is_stopped(); ++phase) {
      if (phase > 0)
        model.for_each_linear([&](const LinearName&, AnyLinear& l) { method.phase(l, phase); });
      Parameters<float> parameters = model.parameters();
      AdamWOptions options = optimizer_options(method, bits, factor);
      if (method.rate_factors) options.factors = method.rate_factors(parameters);
      AdamW optimizer(std::move(parameters), std::move(options));
      TokenBatches<Token> batches(text, context_, plan_.recipe.batch, seed + phase);
      TrainPlan plan;
      plan.steps = phase + 1 < method.phases ? phase_steps : steps - phase * phase_steps;
      plan.accumulation = plan_.recipe.accumulate;
      plan.schedule = [whole = LinearWarmupDecay(steps / 10, steps), first = phase * phase_steps](
                          std::uint64_t step) { return whole(first + step); };
      plan.max_norm = 1.0;
      plan.after_step = [&model] { model.after_step(); };
      if (method.before_update)
        plan.before_update = [&](std::uint64_t step) {
          const double done =
              static_cast<double>(phase * phase_steps + step + 1) / static_cast<double>(steps);
          model.for_each_linear(
              [&](const LinearName&, AnyLinear& l) { method.before_update(l, done); });
        };
      TrainObserver observer;
      observer.on_step = [&](const StepReport& report) { progress_.training(report); };
      if (method.step)
        train(plan, batches, optimizer, method.step({model, *teacher, optimizer}, plan), observer,
              stop_);
      else if (method.follows_teacher)
        train(plan, batches, optimizer, Distilled(model, *teacher), observer, stop_);
      else if (!method.widths.empty())
        train(plan, batches, optimizer, under_each_width(model, method.widths), observer, stop_);
      else
        train(plan, batches, optimizer, next_token(model), observer, stop_);
    }
    progress_.finish();
  }

  AdamWOptions optimizer_options(const PaperMethod& method, int bits, double factor) const {
    const LearningRates usual = method.rates(bits);
    AdamWOptions options;
    options.learning_rate = factor * plan_.recipe.rate.value_or(usual.main);
    for (const Role role : {Role::scale, Role::zero_point, Role::offset})
      options.rules.push_back(
          {.role = role, .learning_rate = factor * plan_.recipe.scale_rate.value_or(usual.scale)});
    options.rules.push_back(
        {.role = Role::input, .learning_rate = factor * 5e-4});  // EfficientDM's
    return options;
  }

  const LlamaWeights& weights_;
  const Splits& splits_;
  const MethodsPlan& plan_;
  FinishedRuns* finished_;
  ProgressBar& progress_;
  const std::atomic<bool>* stop_;
  std::size_t context_;
  std::vector<Token> written_;
};

}  // namespace

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
    expects(found, "--methods ", name, ": there are ", known, " and all; \"", methods[0].name, "-w",
            methods[0].bits[0], "\" is one row");
  }
  return rows;
}

std::string methods_experiment(const LlamaWeights& weights, const Splits& splits,
                               const MethodsPlan& plan) {
  const Recipe& recipe = plan.recipe;
  return joined(model_part(weights), "text ", fingerprint_of(splits.train), ", dev ",
                fingerprint_of(splits.dev), ", test ", fingerprint_of(splits.test), ", rank ",
                plan.adaptation.rank, ", alpha ", plan.adaptation.alpha, ", steps ", recipe.steps,
                ", batch ", recipe.batch, " x ", recipe.accumulate, ", context ",
                training_window_length(weights.config, recipe), ", rates ",
                recipe.rate ? joined(*recipe.rate) : std::string("usual"), " and ",
                recipe.scale_rate ? joined(*recipe.scale_rate) : std::string("usual"),
                ", calibration ", plan.calibration_windows, ", measured ", plan.measure.windows,
                " windows of ", plan.measure.context);
}

std::optional<std::vector<MethodRow>> make_methods_table(
    const LlamaWeights& weights, const Splits& splits, const MethodsPlan& plan,
    std::vector<MethodRow> rows, FinishedRuns* finished, ProgressBar& progress,
    const std::atomic<bool>* stop) {
  for (const MethodRow& row : rows)
    expects(!row.method->rates || plan.recipe.steps >= row.method->phases, "--steps ",
            plan.recipe.steps, ": ", row.name(), " trains in ", row.method->phases, " phases");
  Bench bench(weights, splits, plan, finished, progress, stop);
  for (MethodRow& row : rows)
    if (!bench.run(row)) return std::nullopt;
  progress.finish();
  std::stable_sort(rows.begin(), rows.end(), [](const MethodRow& a, const MethodRow& b) {
    return std::tuple(-a.bits, a.mean_test()) < std::tuple(-b.bits, b.mean_test());
  });
  return rows;
}

}  // namespace lrqat::lab
