// SPDX-License-Identifier: MIT
// nn/fold.hpp: scales and orders of a linear's inputs, taken up by what makes these inputs.
#ifndef LRQAT_NN_FOLD_HPP
#define LRQAT_NN_FOLD_HPP

#include <lrqat/core/expects.hpp>
#include <lrqat/core/permutation.hpp>
#include <lrqat/nn/linear_name.hpp>
#include <lrqat/nn/llama_weights.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace lrqat {

// Each fold leaves the model's function as it is. Scaling multiplies the columns of the linears that
// read an input by s and divides what makes the input by s: two roundings of 2^-24 on the way of
// each product, none at all where s is a power of two and nothing leaves float's range. AWQ,
// SmoothQuant, Outlier Suppression+ and QLLM scale so; RPTQ permutes.

namespace detail {

inline void expect_fold(const char* who, std::span<const float> scale, std::size_t channels) {
  expects(scale.size() == channels, who, ": ", scale.size(), " scales for ", channels, " channels");
  for (std::size_t j = 0; j < scale.size(); ++j)
    expects(scale[j] > 0 && std::isfinite(scale[j]), who, ": scale ", j, " is ", scale[j],
            ", it must be positive");
}

/// matrix(i, j) *= scale_of(j).
template <class ScaleOf>
void multiply_columns(AlignedVector<float>& matrix, std::size_t cols, const ScaleOf& scale_of) {
  for (std::size_t i = 0; i < matrix.size() / cols; ++i)
    for (std::size_t j = 0; j < cols; ++j) matrix[i * cols + j] *= scale_of(j);
}

/// matrix(i, j) /= scale[i].
inline void divide_rows(AlignedVector<float>& matrix, std::span<const float> scale) {
  const std::size_t cols = matrix.size() / scale.size();
  for (std::size_t i = 0; i < scale.size(); ++i)
    for (std::size_t j = 0; j < cols; ++j) matrix[i * cols + j] /= scale[i];
}

}  // namespace detail

/// Into attention_norm: the inputs of query, key and value are divided by `scale` (dim).
/// Errors of all of these: another number of scales; one that is not positive and finite.
inline void fold_into_attention_norm(LlamaWeights::Block& block, std::span<const float> scale) {
  const std::size_t dim = block.attention_norm.size();
  detail::expect_fold("fold_into_attention_norm", scale, dim);
  for (AlignedVector<float>* const matrix : {&block.query, &block.key, &block.value})
    detail::multiply_columns(*matrix, dim, [&](std::size_t j) { return scale[j]; });
  detail::divide_rows(block.attention_norm, scale);
}

/// Into mlp_norm: the inputs of gate and up are divided by `scale` (dim).
inline void fold_into_mlp_norm(LlamaWeights::Block& block, std::span<const float> scale) {
  const std::size_t dim = block.mlp_norm.size();
  detail::expect_fold("fold_into_mlp_norm", scale, dim);
  for (AlignedVector<float>* const matrix : {&block.gate, &block.up})
    detail::multiply_columns(*matrix, dim, [&](std::size_t j) { return scale[j]; });
  detail::divide_rows(block.mlp_norm, scale);
}

/// Into the rows of value: the inputs of output are divided by a scale. A value head serves a whole
/// group of query heads, so there is one scale for each of its channels, `scale` (kv_heads *
/// head_dim), that all inputs of output made from it share; see shared_by_value_heads.
inline void fold_into_value(const LlamaConfig& config, LlamaWeights::Block& block,
                            std::span<const float> scale) {
  detail::expect_fold("fold_into_value", scale, config.kv_heads * config.head_dim);
  const std::size_t dim = config.head_dim, group = config.heads / config.kv_heads;
  detail::multiply_columns(block.output, config.heads * dim, [&](std::size_t j) {
    return scale[j / dim / group * dim + j % dim];
  });
  detail::divide_rows(block.value, scale);
}

/// Into the rows of up: the inputs of down, silu(gate) * up, are divided by `scale` (hidden_dim).
inline void fold_into_up(const LlamaConfig& config, LlamaWeights::Block& block,
                         std::span<const float> scale) {
  detail::expect_fold("fold_into_up", scale, config.hidden_dim);
  detail::multiply_columns(block.down, config.hidden_dim, [&](std::size_t j) { return scale[j]; });
  detail::divide_rows(block.up, scale);
}

/// What several inputs of output that come from one channel of a value head have in common.
enum class Shared { largest, mean };

/// (kv_heads * head_dim) from (heads * head_dim) numbers, one for each input of output: the largest
/// of those that share a channel of a value head (for max|x| and max|W|), or their mean (for
/// mean |x|). As they are where heads == kv_heads.
template <class T>
std::vector<T> shared_by_value_heads(const LlamaConfig& config, std::span<const T> values,
                                     Shared shared) {
  const std::size_t dim = config.head_dim, group = config.heads / config.kv_heads;
  expects(values.size() == config.heads * dim, "shared_by_value_heads: ", values.size(),
          " numbers for ", config.heads, " heads of ", dim);
  std::vector<T> common(config.kv_heads * dim);
  for (std::size_t i = 0; i < common.size(); ++i) {
    const std::size_t first = i / dim * group * dim + i % dim;
    T sum = 0, largest = values[first];
    for (std::size_t h = 0; h < group; ++h) {
      sum += values[first + h * dim];
      largest = std::max(largest, values[first + h * dim]);
    }
    common[i] = shared == Shared::largest ? largest : sum / static_cast<T>(group);
  }
  return common;
}

/// The way back: each input of output gets the number of its value head's channel.
template <class T>
std::vector<T> spread_over_heads(const LlamaConfig& config, std::span<const T> values) {
  const std::size_t dim = config.head_dim, group = config.heads / config.kv_heads;
  expects(values.size() == config.kv_heads * dim, "spread_over_heads: ", values.size(),
          " numbers for ", config.kv_heads, " value heads of ", dim);
  std::vector<T> spread(config.heads * dim);
  for (std::size_t j = 0; j < spread.size(); ++j)
    spread[j] = values[j / dim / group * dim + j % dim];
  return spread;
}

/// The hidden channels of the MLP in another order (RPTQ's fifth point): rows of gate and up and
/// columns of down; the sums of down go up in that order. RPTQ's orders of a norm's outputs have no
/// weight to go into: the residual stream keeps its order, and its kernels gather in the norm.
/// @param order  (hidden_dim) the channel that comes k-th
/// Errors: an order that is no permutation of the hidden channels.
inline void permute_hidden(const LlamaConfig& config, LlamaWeights::Block& block,
                           std::span<const std::uint32_t> order) {
  const std::size_t hidden = config.hidden_dim, dim = config.dim;
  detail::expect_permutation("permute_hidden", order, hidden);
  for (AlignedVector<float>* const matrix : {&block.gate, &block.up}) {
    const AlignedVector<float> before = *matrix;
    for (std::size_t k = 0; k < hidden; ++k)
      std::copy_n(&before[order[k] * dim], dim, &(*matrix)[k * dim]);
  }
  const AlignedVector<float> before = block.down;
  for (std::size_t i = 0; i < dim; ++i)
    for (std::size_t k = 0; k < hidden; ++k)
      block.down[i * hidden + k] = before[i * hidden + order[k]];
}

}  // namespace lrqat

#endif  // LRQAT_NN_FOLD_HPP
