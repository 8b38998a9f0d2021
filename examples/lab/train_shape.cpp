// SPDX-License-Identifier: MIT
// examples/lab/train_shape.cpp: what a training step of a large model costs, without the model.
#include "train_shape.hpp"

#include "experiment.hpp"
#include "joined.hpp"
#include "layer_factory.hpp"
#include "memory_parts.hpp"
#include "pace.hpp"
#include "scheme_names.hpp"
#include "shaped_model.hpp"
#include "shapes.hpp"

#include <lrqat/core/expects.hpp>
#include <lrqat/io/json_line.hpp>  // JsonObject

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <iostream>

namespace lrqat::lab {

namespace {

std::string all_shapes() {
  std::string names;
  for (const NamedShape& each : named_shapes) names += joined(names.empty() ? "" : ", ", each.name);
  return names;
}

const LlamaConfig& config_of(const std::string& shape) {
  for (const NamedShape& each : named_shapes)
    if (each.name == shape) return each.config;
  fail("there is no shape '", shape, "'; there are ", all_shapes());
}

void tell_of_shape(const JsonObject& result, const MemoryParts& memory, const Pace& pace) {
  const auto number = [&](const char* key) { return result[key].get<double>(); };
  const auto text = [&](const char* key) { return result[key].get<std::string>(); };
  std::printf("%s, %s, products in %s, seed %.0f, steps: %.0f of %.0f tokens\n",
              text("shape").c_str(), text("scheme").c_str(), text("compute").c_str(),
              number("seed"), number("steps"), number("tokens_per_step"));
  std::printf("  loss             %.4f at the last step\n", number("loss"));
  std::printf("  trained numbers  %.0f, beside %.0f frozen weights\n", number("trainable"),
              number("linear_weights"));
  std::printf("  weights made in  %s\n", clock_text(number("making_seconds")).c_str());
  std::printf("  time of a step   %.1f s, %.1f tokens a second\n", number("seconds_per_step"),
              number("tokens_per_second"));
  std::printf("  %s\n", pace_text(pace).c_str());
  std::printf("  memory\n%s", memory_text(memory).c_str());
}

}  // namespace

void add_shape(CLI::App& command, std::string& shape) {
  command.add_option("--shape", shape,
                     joined("In place of a model, weights from the seed in the shape of one: ",
                            all_shapes(), " (see below)"));
}

void apply_shape_defaults(const CLI::App& command, const std::string& shape, Options& options) {
  expects(options.model.empty(), "--model and --shape exclude each other: a model has weights of ",
          "its own, a shape gets them from the seed");
  for (const char* option : {"--tokens", "--data", "--tokenizer", "--dev", "--test", "--windows",
                             "--out", "--resume", "--checkpoint-every"})
    expects(command.count(option) == 0, option, " is for --model: --shape trains on tokens of the ",
            "seed, measures time and memory, and keeps nothing");
  const auto missing = [&](const char* option) { return command.count(option) == 0; };
  if (missing("--steps")) options.recipe.steps = 1;
  if (missing("--batch")) options.recipe.batch = 1;
  if (missing("--rank")) options.adaptation.rank = 32;
  if (missing("--context"))
    options.measure.context = std::min<std::size_t>(1024, config_of(shape).context);
  if (missing("--scheme")) options.scheme = "w4-pc-q4.4-minmax";
}

void train_shape(const std::string& shape, const Options& options) {
  const LlamaConfig& config = config_of(shape);
  Adaptation adaptation = options.adaptation;
  Scheme& scheme = adaptation.scheme;
  if (scheme.method == Method::lr_qat && scheme.rank == 0) scheme.rank = adaptation.rank;
  check_compute(scheme, adaptation.compute);
  Recipe recipe = options.recipe;
  recipe.recompute = Recompute::per_block;
  const std::size_t context = training_window_length(config, recipe);
  const std::size_t tokens_per_step = recipe.batch * recipe.accumulate * context;
  expects(recipe.steps <= (std::size_t{1} << 28) / tokens_per_step, "--steps ", recipe.steps,
          " of ", tokens_per_step, " tokens each: --shape draws at most ", 1u << 28, " tokens");

  ProgressBar progress;
  progress.begin(joined(shape, ", ", name_of(scheme)));
  const auto start = std::chrono::steady_clock::now();
  Model model = make_shaped_model(config, adaptation, progress);
  const std::chrono::duration<double> making = std::chrono::steady_clock::now() - start;
  const Stream tokens =
      seeded_tokens(config.vocab, recipe.steps * tokens_per_step + 1, adaptation.seed);
  model.observe_passes(
      [&](std::size_t done, std::size_t all) { progress.part(done, all, "block passes"); });
  const TrainResult trained =
      train_model(model, adaptation, recipe, tokens, RunFiles{}, progress, nullptr);

  const MemoryParts memory = memory_parts(model);
  const Pace pace = pace_of(config, recipe.recompute, trained.tokens_per_second);
  JsonObject result{{"shape", shape},
                    {"scheme", name_of(scheme)},
                    {"compute", name_of(adaptation.compute)},
                    {"seed", adaptation.seed},
                    {"steps", trained.steps},
                    {"tokens_per_step", tokens_per_step},
                    {"loss", trained.last_loss},
                    {"trainable", trained_numbers(model)},
                    {"linear_weights", linear_weights(config)},
                    {"bits_per_weight", bits_per_weight(config, scheme)},
                    {"making_seconds", making.count()},
                    {"seconds_per_step", trained.seconds / static_cast<double>(trained.steps)},
                    {"tokens_per_second", trained.tokens_per_second}};
  add_pace(pace, result);
  result["memory"] = memory_json(memory);
  if (options.json)
    std::cout << result.dump() << '\n';
  else
    tell_of_shape(result, memory, pace);
}

}  // namespace lrqat::lab
