// SPDX-License-Identifier: MIT
// examples/lab/pretrain.hpp: a small LLaMA from nothing but text.
#ifndef LRQAT_LAB_PRETRAIN_HPP
#define LRQAT_LAB_PRETRAIN_HPP

#include "progress.hpp"
#include "scheme.hpp"
#include "text.hpp"

#include <lrqat/nn/llama_weights.hpp>

#include <cstddef>
#include <cstdint>

namespace lrqat::lab {

struct PretrainPlan {
  LlamaConfig config{};
  std::uint64_t steps = 0, seed = 1;
  std::size_t batch = 8;  // windows of config.context tokens
  double learning_rate = 4e-3;
  Scheme scheme{.method = Method::fp32_tuned};  // of the linear layers
  double scale_rate = 0;                        // learning rate of its scales
};

/// Random weights: normal, with variances that keep the stream's size through the layers.
LlamaWeights random_weights(const LlamaConfig& config, std::uint64_t seed);

/// Trains everything, embedding and norms included, in float32.
/// @pre  the plan's scheme is fp32_tuned
LlamaWeights pretrain(const PretrainPlan& plan, const Stream& text, ProgressBar& progress);

}  // namespace lrqat::lab

#endif  // LRQAT_LAB_PRETRAIN_HPP
