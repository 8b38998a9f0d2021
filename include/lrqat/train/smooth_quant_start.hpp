// SPDX-License-Identifier: MIT
// train/smooth_quant_start.hpp: SmoothQuant's scales, for an EquivalentTransform to start from.
#ifndef LRQAT_TRAIN_SMOOTH_QUANT_START_HPP
#define LRQAT_TRAIN_SMOOTH_QUANT_START_HPP

#include <lrqat/core/matrix_view.hpp>
#include <lrqat/initializer/smooth_quant.hpp>
#include <lrqat/nn/calibration.hpp>
#include <lrqat/nn/fold.hpp>  // shared_by_value_heads
#include <lrqat/nn/linear_name.hpp>
#include <lrqat/nn/llama_weights.hpp>
#include <lrqat/train/equivalent_transform.hpp>  // EquivalentScales

#include <cstddef>
#include <span>
#include <vector>

namespace lrqat {

/// Where OmniQuant starts: SmoothQuant's scales, alpha 1/2, and 1 between query and key. The
/// published code takes the largest weight of one of the linears that share an input; all of them
/// count here.
/// @param block  float weights of block `b`     @param seen  what its layers read
/// Errors: those of smooth_quant_scale and Calibration::inputs.
inline EquivalentScales smooth_quant_start(const LlamaConfig& config,
                                           const LlamaWeights::Block& block,
                                           const Calibration& seen, std::size_t b,
                                           double alpha = 0.5) {
  const auto view = [&](LinearKind kind) {
    const Shape shape = linear_shape(config, kind);
    return MatrixView<const float>(linear_weight(block, kind).data(), shape.rows, shape.cols);
  };
  const auto scale = [&](std::span<const MatrixView<const float>> weights, LinearKind first) {
    return smooth_quant_scale(seen.inputs({b, first}).max_abs(), weights, alpha);
  };
  const MatrixView<const float> attention[] = {view(LinearKind::query), view(LinearKind::key),
                                               view(LinearKind::value)};
  const MatrixView<const float> mlp[] = {view(LinearKind::gate), view(LinearKind::up)};
  const MatrixView<const float> output[] = {view(LinearKind::output)};
  const std::vector<float> heads = scale(output, LinearKind::output);
  return {.attention = scale(attention, LinearKind::query),
          .value = shared_by_value_heads(config, std::span<const float>(heads), Shared::largest),
          .query_key = std::vector<float>(config.kv_heads * config.head_dim / 2, 1.0f),
          .mlp = scale(mlp, LinearKind::gate)};
}

}  // namespace lrqat

#endif  // LRQAT_TRAIN_SMOOTH_QUANT_START_HPP
