// SPDX-License-Identifier: MIT
// examples/lab/experiment.cpp: the loop of a training run, and its perplexities.
#include "experiment.hpp"

#include "joined.hpp"
#include "scheme_names.hpp"

#include <lrqat/core/expects.hpp>
#include <lrqat/optim/schedule.hpp>
#include <lrqat/train/next_token.hpp>
#include <lrqat/train/token_batches.hpp>

#include <cmath>
#include <cstdio>
#include <utility>

namespace lrqat::lab {

namespace {

LearningRates rates_of(const Scheme& scheme, const Recipe& recipe) {
  const LearningRates usual = learning_rates(scheme);
  return {recipe.rate.value_or(usual.main), recipe.scale_rate.value_or(usual.scale)};
}

std::string hexadecimal(std::uint64_t number) {
  char digits[20];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(number));
  return digits;
}

}  // namespace

std::size_t window_length(const LlamaConfig& config, std::size_t asked) {
  expects(asked <= config.context, "--context ", asked, ": the model was made for at most ",
          config.context, " tokens");
  return asked == 0 ? config.context : asked;
}

void expect_pass_size(std::size_t batch, std::size_t length, const char* advice) {
  constexpr std::size_t most = std::size_t{1} << 18;
  expects(batch * length <= most, "--batch ", batch, " windows of ", length,
          " tokens: one pass may have ", most, " tokens", advice);
}

std::size_t training_window_length(const LlamaConfig& config, const Recipe& recipe) {
  const std::size_t length = window_length(config, recipe.context);
  expect_pass_size(recipe.batch, length, "; --accumulate adds passes up to larger steps");
  return length;
}

PerplexityResult measure(Model& model, const Stream& text, const Measure& how,
                         ProgressBar& progress) {
  const std::size_t context = window_length(model.config(), how.context);
  expects(text.tokens.size() > context, text.origin, ": ", text.tokens.size(),
          " tokens; one window of ", context, " and its last target need ", context + 1);
  return perplexity(model, text.tokens, {.context = context, .windows = how.windows},
                    [&](std::size_t done, std::size_t all) { progress.evaluation(done, all); });
}

AdamW make_optimizer(Model& model, const Scheme& scheme, const Recipe& recipe) {
  const LearningRates rates = rates_of(scheme, recipe);
  AdamWOptions options;
  options.learning_rate = rates.main;
  options.rules = {{.role = Role::scale, .learning_rate = rates.scale}};
  return AdamW(model.parameters(), options);
}

std::string fingerprint_of(const Stream& text) {
  return hexadecimal(hash_of(std::as_bytes(std::span(text.tokens))));
}

std::string model_part(const LlamaWeights& weights) {
  return joined("model ", hexadecimal(fingerprint_of(weights)), ", ");
}

std::string run_fingerprint(const LlamaWeights& weights, const Adaptation& adaptation,
                            const Recipe& recipe, const Stream& train) {
  const LearningRates rates = rates_of(adaptation.scheme, recipe);
  return joined(model_part(weights), "text ", fingerprint_of(train), ", scheme ",
                name_of(adaptation.scheme), ", rank ", adaptation.rank, ", alpha ",
                adaptation.alpha, ", seed ", adaptation.seed, ", steps ", recipe.steps, ", batch ",
                recipe.batch, " x ", recipe.accumulate, ", context ",
                window_length(weights.config, recipe.context), ", rates ", rates.main, " and ",
                rates.scale, adaptation.compute == ComputeType::bf16 ? ", compute bf16" : "",
                adaptation.scale_type == ScaleType::fp16 ? ", scales fp16" : "");
}

TrainResult train_model(Model& model, const Adaptation& adaptation, const Recipe& recipe,
                        const Stream& train, const RunFiles& files, ProgressBar& progress,
                        const std::atomic<bool>* stop) {
  const std::size_t context = training_window_length(model.config(), recipe);
  expects(train.tokens.size() > context, train.origin, ": ", train.tokens.size(),
          " tokens; one window of ", context, " and its last target need ", context + 1);
  AdamW optimizer = make_optimizer(model, adaptation.scheme, recipe);
  TokenBatches<Token> batches(train.tokens, context, recipe.batch, adaptation.seed);
  TrainPlan plan;
  plan.steps = recipe.steps;
  plan.accumulation = recipe.accumulate;
  plan.schedule = LinearWarmupDecay(recipe.steps / 10, recipe.steps);
  plan.after_step = [&model] { model.after_step(); };
  plan.max_norm = 1.0;
  plan.checkpoint = files.checkpoint;
  plan.checkpoint_every = files.checkpoint_every;
  plan.resume = files.resume;
  plan.fingerprint = files.fingerprint;
  plan.log = files.log;
  TrainObserver observer;
  observer.on_step = [&](const StepReport& report) { progress.training(report); };
  observer.on_resume = [&](std::uint64_t step) {
    progress.note(joined("continuing after step ", step));
  };
  const TrainResult result =
      lrqat::train(plan, batches, optimizer, next_token(model), observer, stop);
  progress.finish();
  return result;
}

Score score(Model& model, const Scheme& scheme, const Splits& splits, const Measure& how,
            ProgressBar& progress) {
  Score result;
  result.dev = measure(model, splits.dev, how, progress);
  result.test = measure(model, splits.test, how, progress);
  if (scheme.trains() && !scheme.is_float()) {
    Model merged = merge(model);
    result.merged = measure(merged, splits.test, how, progress);
  }
  progress.finish();
  return result;
}

}  // namespace lrqat::lab
