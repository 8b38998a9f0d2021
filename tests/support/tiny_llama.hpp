// SPDX-License-Identifier: MIT
// tests/support/tiny_llama.hpp: a random LLaMA small enough for finite differences.
#ifndef LRQAT_TESTS_SUPPORT_TINY_LLAMA_HPP
#define LRQAT_TESTS_SUPPORT_TINY_LLAMA_HPP

#include <lrqat/core/rng.hpp>
#include <lrqat/nn/linear_name.hpp>
#include <lrqat/nn/llama_weights.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace lrqat::test {

/// Two blocks, four heads in two groups.
inline LlamaConfig tiny_config(bool tied_head = true) {
  LlamaConfig config;
  config.dim = 12;
  config.hidden_dim = 20;
  config.layers = 2;
  config.heads = 4;
  config.kv_heads = 2;
  config.head_dim = 4;
  config.vocab = 19;
  config.context = 16;
  config.tied_head = tied_head;
  return config;
}

/// Normal weights, 1 / sqrt(in) wide; norms around 1.
inline LlamaWeights random_llama(const LlamaConfig& config, std::uint64_t seed) {
  std::uint64_t stream = 0;
  const auto random = [&](std::size_t count, double center, double width) {
    const CounterRng numbers(seed, stream++);
    AlignedVector<float> values(count);
    for (std::size_t i = 0; i < count; ++i)
      values[i] = static_cast<float>(center + width * static_cast<double>(numbers.normal(i)));
    return values;
  };
  const auto matrix = [&](LinearKind kind) {
    const Shape shape = linear_shape(config, kind);
    return random(shape.size(), 0, 1 / std::sqrt(static_cast<double>(shape.cols)));
  };
  LlamaWeights weights;
  weights.config = config;
  weights.embedding = random(config.vocab * config.dim, 0, 1);
  for (std::size_t b = 0; b < config.layers; ++b) {
    LlamaWeights::Block block;
    block.attention_norm = random(config.dim, 1, 0.2);
    block.mlp_norm = random(config.dim, 1, 0.2);
    block.query = matrix(LinearKind::query);
    block.key = matrix(LinearKind::key);
    block.value = matrix(LinearKind::value);
    block.output = matrix(LinearKind::output);
    block.gate = matrix(LinearKind::gate);
    block.up = matrix(LinearKind::up);
    block.down = matrix(LinearKind::down);
    weights.blocks.push_back(block);
  }
  weights.final_norm = random(config.dim, 1, 0.2);
  if (!config.tied_head) weights.head = random(config.vocab * config.dim, 0, 1);
  return weights;
}

inline std::vector<std::uint16_t> random_tokens(std::size_t count, std::size_t vocab,
                                                std::uint64_t seed) {
  const CounterRng random(seed, 1000);
  std::vector<std::uint16_t> tokens(count);
  for (std::size_t i = 0; i < count; ++i)
    tokens[i] = static_cast<std::uint16_t>(random.below(static_cast<std::uint32_t>(vocab), i));
  return tokens;
}

}  // namespace lrqat::test

#endif  // LRQAT_TESTS_SUPPORT_TINY_LLAMA_HPP
