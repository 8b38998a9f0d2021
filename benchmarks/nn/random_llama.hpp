// SPDX-License-Identifier: MIT
// benchmarks/nn/random_llama.hpp: models of real sizes with random weights; no file is needed.
#ifndef LRQAT_BENCHMARKS_NN_RANDOM_LLAMA_HPP
#define LRQAT_BENCHMARKS_NN_RANDOM_LLAMA_HPP

#include <lrqat/core/aligned.hpp>
#include <lrqat/core/rng.hpp>
#include <lrqat/nn/linear_name.hpp>
#include <lrqat/nn/llama_weights.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace lrqat::benchmarks {

/// `count` numbers in [-width, width).
inline AlignedVector<float> random_numbers(std::size_t count, std::uint64_t stream,
                                           float width = 1.0f) {
  const CounterRng random(7, stream);
  AlignedVector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = width * (2.0f * random.uniform(i) - 1.0f);
  return values;
}

/// Uniform weights of standard deviation 1 / sqrt(in), norms of 1.
inline LlamaWeights random_llama(const LlamaConfig& config) {
  LlamaWeights weights;
  weights.config = config;
  std::uint64_t stream = 0;
  const auto matrix = [&](std::size_t out, std::size_t in) {
    return random_numbers(out * in, ++stream, std::sqrt(3.0f / static_cast<float>(in)));
  };
  const auto ones = [&] { return AlignedVector<float>(config.dim, 1.0f); };
  weights.embedding = matrix(config.vocab, config.dim);
  weights.blocks.resize(config.layers);
  for (LlamaWeights::Block& block : weights.blocks) {
    const auto linear = [&](LinearKind kind) {
      const Shape shape = linear_shape(config, kind);
      return matrix(shape.rows, shape.cols);
    };
    block = {ones(),
             linear(LinearKind::query),
             linear(LinearKind::key),
             linear(LinearKind::value),
             linear(LinearKind::output),
             ones(),
             linear(LinearKind::gate),
             linear(LinearKind::up),
             linear(LinearKind::down)};
  }
  weights.final_norm = ones();
  if (!config.tied_head) weights.head = matrix(config.vocab, config.dim);
  return weights;
}

}  // namespace lrqat::benchmarks

#endif  // LRQAT_BENCHMARKS_NN_RANDOM_LLAMA_HPP
