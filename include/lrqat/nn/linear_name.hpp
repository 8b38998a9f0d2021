// SPDX-License-Identifier: MIT
// nn/linear_name.hpp: which linear layer of a LLaMA.
#ifndef LRQAT_NN_LINEAR_NAME_HPP
#define LRQAT_NN_LINEAR_NAME_HPP

#include <lrqat/core/matrix_view.hpp>  // Shape
#include <lrqat/nn/llama_weights.hpp>  // LlamaConfig, LlamaWeights

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace lrqat {

enum class LinearKind { query, key, value, output, gate, up, down };

/// In the order in which a block uses them.
inline constexpr std::array<LinearKind, 7> linear_kinds{
    LinearKind::query, LinearKind::key, LinearKind::value, LinearKind::output,
    LinearKind::gate,  LinearKind::up,  LinearKind::down};

constexpr std::string_view name(LinearKind kind) {
  constexpr std::array<std::string_view, 7> names{"query", "key", "value", "output",
                                                  "gate",  "up",  "down"};
  return names[static_cast<std::size_t>(kind)];
}

struct LinearName {
  std::size_t block = 0;
  LinearKind kind = LinearKind::query;

  /// "blocks.0.query"
  std::string text() const {
    return "blocks." + std::to_string(block) + "." + std::string(name(kind));
  }
  bool operator==(const LinearName&) const = default;
};

/// (out, in) of the linear layers of that kind.
constexpr Shape linear_shape(const LlamaConfig& config, LinearKind kind) {
  const std::size_t attention = config.heads * config.head_dim;
  switch (kind) {
    case LinearKind::query:
      return {attention, config.dim};
    case LinearKind::key:
    case LinearKind::value:
      return {config.kv_heads * config.head_dim, config.dim};
    case LinearKind::output:
      return {config.dim, attention};
    case LinearKind::gate:
    case LinearKind::up:
      return {config.hidden_dim, config.dim};
    case LinearKind::down:
      break;
  }
  return {config.dim, config.hidden_dim};
}

/// The matrix of that kind in a checkpoint's block.
inline const AlignedVector<float>& linear_weight(const LlamaWeights::Block& block,
                                                 LinearKind kind) {
  const std::array<const AlignedVector<float>*, 7> all{
      &block.query, &block.key, &block.value, &block.output, &block.gate, &block.up, &block.down};
  return *all[static_cast<std::size_t>(kind)];
}

}  // namespace lrqat

#endif  // LRQAT_NN_LINEAR_NAME_HPP
