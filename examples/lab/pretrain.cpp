// SPDX-License-Identifier: MIT
// examples/lab/pretrain.cpp: random weights, and the loop that makes a model of them.
#include "pretrain.hpp"

#include "from_scratch.hpp"
#include "layer_factory.hpp"
#include "model.hpp"

#include <lrqat/core/expects.hpp>
#include <lrqat/core/rng.hpp>
#include <lrqat/optim/adamw.hpp>
#include <lrqat/optim/schedule.hpp>
#include <lrqat/train/next_token.hpp>
#include <lrqat/train/token_batches.hpp>
#include <lrqat/train/trainer.hpp>

#include <algorithm>
#include <cmath>
#include <string>

namespace lrqat::lab {

namespace {

AlignedVector<float>& matrix(LlamaWeights::Block& block, LinearKind kind) {
  return const_cast<AlignedVector<float>&>(linear_weight(block, kind));
}

/// The trained numbers of `model` in the form of a checkpoint.
LlamaWeights weights_of(Model& model, LlamaWeights weights) {
  const auto copy = [](const Parameter<float>& from, AlignedVector<float>& to) {
    std::copy(from.value.begin(), from.value.end(), to.begin());
  };
  for (const Parameter<float>& parameter : model.parameters()) {
    if (parameter.name == "embedding") copy(parameter, weights.embedding);
    if (parameter.name == "final_norm") copy(parameter, weights.final_norm);
    for (std::size_t b = 0; b < weights.blocks.size(); ++b) {
      LlamaWeights::Block& block = weights.blocks[b];
      const std::string prefix = "blocks." + std::to_string(b);
      if (parameter.name == prefix + ".attention_norm") copy(parameter, block.attention_norm);
      if (parameter.name == prefix + ".mlp_norm") copy(parameter, block.mlp_norm);
      for (const LinearKind kind : linear_kinds)
        if (parameter.name == LinearName{b, kind}.text() + ".weight")
          copy(parameter, matrix(block, kind));
    }
  }
  return weights;
}

}  // namespace

LlamaWeights random_weights(const LlamaConfig& config, std::uint64_t seed) {
  LlamaWeights weights;
  weights.config = config;
  std::uint64_t stream = std::uint64_t{1} << 33;  // apart from data order and adapters
  const auto fill = [&](AlignedVector<float>& values, std::size_t size, double deviation) {
    const CounterRng random(seed, stream++);
    values.resize(size);
    for (std::size_t i = 0; i < size; ++i)
      values[i] = static_cast<float>(deviation) * random.normal(i);
  };
  fill(weights.embedding, config.vocab * config.dim, 0.05);
  const double depth = std::sqrt(2.0 * static_cast<double>(config.layers));
  for (std::size_t b = 0; b < config.layers; ++b) {
    LlamaWeights::Block& block = weights.blocks.emplace_back();
    block.attention_norm.assign(config.dim, 1.0f);
    block.mlp_norm.assign(config.dim, 1.0f);
    for (const LinearKind kind : linear_kinds) {
      const Shape shape = linear_shape(config, kind);
      const bool ends_branch = kind == LinearKind::output || kind == LinearKind::down;
      fill(matrix(block, kind), shape.size(),
           (ends_branch ? 1 / depth : 1.0) / std::sqrt(static_cast<double>(shape.cols)));
    }
  }
  weights.final_norm.assign(config.dim, 1.0f);
  if (!config.tied_head) fill(weights.head, config.vocab * config.dim, 0.05);
  return weights;
}

Model model_from_scratch(const PretrainPlan& plan) {
  expects(plan.config.tied_head, "pretrain: the head must be the embedding");
  const Adaptation adaptation{.scheme = plan.scheme, .seed = plan.seed};
  const auto make = [&](MatrixView<const float> weight, const LinearName& which) {
    return make_layer(plan.scheme, weight, layer_options(adaptation, which));
  };
  return Model(random_weights(plan.config, plan.seed), make,
               LlamaOptions{.train_norms = true,
                            .train_embedding = true,
                            .activations = activation_bits(plan.scheme)});
}

bool train_from_scratch(Model& model, const PretrainPlan& plan, const Stream& text,
                        ProgressBar& progress, const std::atomic<bool>* stop) {
  AdamWOptions options{.learning_rate = plan.learning_rate};
  options.rules = {{.role = Role::scale, .learning_rate = plan.scale_rate}};
  AdamW optimizer(model.parameters(), options);
  TokenBatches<Token> batches(text.tokens, plan.config.context, plan.batch, plan.seed);
  TrainPlan train_plan;
  train_plan.steps = plan.steps;
  train_plan.schedule = LinearWarmupDecay(plan.steps / 20, plan.steps);
  train_plan.after_step = [&model] { model.after_step(); };
  train_plan.max_norm = 1.0;
  TrainObserver observer;
  observer.on_step = [&](const StepReport& report) { progress.training(report); };
  const TrainResult result =
      train(train_plan, batches, optimizer, next_token(model), observer, stop);
  progress.finish();
  return !result.stopped;
}

LlamaWeights pretrain(const PretrainPlan& plan, const Stream& text, ProgressBar& progress) {
  Model model = model_from_scratch(plan);
  train_from_scratch(model, plan, text, progress, nullptr);
  return weights_of(model, random_weights(plan.config, plan.seed));
}

}  // namespace lrqat::lab
