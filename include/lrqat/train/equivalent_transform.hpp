// SPDX-License-Identifier: MIT
// train/equivalent_transform.hpp: trained scales between neighbouring layers of a LLaMA's block.
#ifndef LRQAT_TRAIN_EQUIVALENT_TRANSFORM_HPP
#define LRQAT_TRAIN_EQUIVALENT_TRANSFORM_HPP

#include <lrqat/core/aligned.hpp>
#include <lrqat/core/expects.hpp>
#include <lrqat/core/matrix_view.hpp>
#include <lrqat/core/parameter.hpp>
#include <lrqat/initializer/smooth_quant.hpp>
#include <lrqat/nn/calibration.hpp>
#include <lrqat/nn/fold.hpp>  // shared_by_value_heads
#include <lrqat/nn/linear_name.hpp>
#include <lrqat/nn/llama_block.hpp>
#include <lrqat/nn/llama_weights.hpp>

#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace lrqat {

/// The scales of one block, all positive. What is in front is divided, what is behind multiplied:
///
///   attention  (dim)                  attention_norm -> query, key, value
///   value      (kv_heads * head_dim)  value -> output; one for each channel of a value head
///   query_key  (kv_heads * head_dim / 2)  query -> key; one for each pair that is rotated together
///   mlp        (dim)                  mlp_norm -> gate, up
struct EquivalentScales {
  std::vector<float> attention, value, query_key, mlp;
};

/// Where OmniQuant starts: SmoothQuant's scales, alpha 1/2, and 1 between query and key. The published
/// code takes the largest weight of one of the linears that share an input; all of them count here.
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

/// OmniQuant's learned equivalent transforms (Shao et al., arXiv 2308.13137, section 3.3) of one block
/// of a LLaMA: without quantization its function stays, whatever the scales. Its layers have
/// ChannelScales; BlockReconstruction::train calls what is here. After training everything is folded
/// already: norms hold their scales, layers merge to codes.
///
/// Scales alone: an RMS norm has no bias that a shift could go into. A pair of channels that rotary
/// embedding turns has one scale between query and key, and all query heads of a group share them;
/// the published code has one for each channel, which changes the function behind a rotation. Scales
/// are kept at 1e-2 and above; the published code bounds their magnitude.
class EquivalentTransform {
 public:
  static constexpr float least_scale = 1e-2f;

  /// Errors: another number of scales than the config wants; one that is not positive and finite.
  EquivalentTransform(const LlamaConfig& config, EquivalentScales start) {
    const std::size_t dim = config.head_dim, group = config.heads / config.kv_heads;
    const std::size_t kv = config.kv_heads * dim;
    const auto set = [](Scale& scale, const char* which, std::vector<float> values,
                        std::size_t count) {
      detail::expect_fold(which, values, count);
      scale.gradient.assign(count, 0.0f);
      scale.value = std::move(values);
    };
    set(attention_, "EquivalentTransform: attention", std::move(start.attention), config.dim);
    set(value_, "EquivalentTransform: value", std::move(start.value), kv);
    set(query_key_, "EquivalentTransform: query_key", std::move(start.query_key), kv / 2);
    set(mlp_, "EquivalentTransform: mlp", std::move(start.mlp), config.dim);
    for (std::size_t i = 0; i < std::max(config.dim, kv); ++i) same_.push_back(i);
    for (std::size_t i = 0; i < config.heads * dim; ++i) {
      heads_.push_back(i / dim / group * dim + i % dim);
      query_pairs_.push_back(heads_.back() / 2);
    }
    for (std::size_t i = 0; i < kv; ++i) key_pairs_.push_back(i / 2);
  }

  /// "attention_scale", "value_scale", "query_key_scale" and "mlp_scale".
  Parameters<float> parameters() {
    Parameters<float> all;
    for (auto& [name, scale] : {std::pair<const char*, Scale*>{"attention_scale", &attention_},
                                {"value_scale", &value_},
                                {"query_key_scale", &query_key_},
                                {"mlp_scale", &mlp_}})
      all.push_back({name, Role::transform, scale->value, scale->gradient});
    return all;
  }

  /// Takes the norms as they are and gives them gradients. Errors: norms that are trained already.
  template <class Linear>
  void begin(const BlockLayers<Linear>& layers) {
    for (FrameTensor<float>* norm : {layers.attention_norm, layers.mlp_norm}) {
      expects(norm->gradient.empty(),
              "EquivalentTransform: the norms are trained, but their scales are the transform's; "
              "leave train_norms out");
      norm->train(true);
    }
    attention_norm_ = layers.attention_norm->value;
    mlp_norm_ = layers.mlp_norm->value;
  }
  /// The norms stay as they have become, frozen.
  template <class Linear>
  void end(const BlockLayers<Linear>& layers) {
    for (FrameTensor<float>* norm : {layers.attention_norm, layers.mlp_norm}) norm->train(false);
  }

  /// Writes the scales into norms, rows and columns; the layers' after_step() is to follow.
  /// Errors: layers without ChannelScales.
  template <class Linear>
  void apply(const BlockLayers<Linear>& layers) {
    for (Scale* scale : {&attention_, &value_, &query_key_, &mlp_})
      for (float& k : scale->value) k = k < least_scale ? least_scale : k;
    for (const Tie& tie : ties(layers))
      for (std::size_t i = 0; i < tie.value.size(); ++i) {
        const float k = tie.scale->value[tie.which[i]];
        tie.value[i] = !tie.divides ? k : (tie.first.empty() ? 1.0f : tie.first[i]) / k;
      }
  }

  /// Adds what norms, rows and columns were given to the gradients of the scales, and clears it.
  template <class Linear>
  void collect(const BlockLayers<Linear>& layers) {
    for (const Tie& tie : ties(layers))
      for (std::size_t i = 0; i < tie.value.size(); ++i) {
        const float k = tie.scale->value[tie.which[i]];
        const float slope = tie.divides ? -tie.value[i] / k : 1.0f;
        tie.scale->gradient[tie.which[i]] += slope * std::exchange(tie.gradient[i], 0.0f);
      }
  }

 private:
  struct Scale {
    std::vector<float> value, gradient;
  };
  /// value[i] is scale[which[i]], or first[i] divided by it, 1 where first is empty.
  struct Tie {
    Scale* scale;
    bool divides;
    std::span<const std::size_t> which;
    std::span<float> value, gradient;
    std::span<const float> first{};
  };

  template <class Linear>
  std::vector<Tie> ties(const BlockLayers<Linear>& layers) {
    std::vector<Tie> all;
    const auto of_norm = [&](Scale& scale, FrameTensor<float>& norm, std::span<const float> first) {
      all.push_back({&scale, true, same_, norm.value, norm.gradient, first});
    };
    const auto tie = [&](Scale& scale, LinearKind kind, const char* side, bool divides,
                         std::span<const std::size_t> which) {
      for (const Parameter<float>& each : layers[kind].parameters())
        if (each.role == Role::transform && each.name == side) {
          all.push_back({&scale, divides, which, each.value, each.gradient});
          return;
        }
      fail("EquivalentTransform: the layer ", name(kind),
           " has no ChannelScales, as every layer of the block but down needs them");
    };
    of_norm(attention_, *layers.attention_norm, attention_norm_);
    for (const LinearKind kind : {LinearKind::query, LinearKind::key, LinearKind::value})
      tie(attention_, kind, "columns", false, same_);
    tie(query_key_, LinearKind::query, "rows", true, query_pairs_);
    tie(query_key_, LinearKind::key, "rows", false, key_pairs_);
    tie(value_, LinearKind::value, "rows", true, same_);
    tie(value_, LinearKind::output, "columns", false, heads_);
    of_norm(mlp_, *layers.mlp_norm, mlp_norm_);
    for (const LinearKind kind : {LinearKind::gate, LinearKind::up})
      tie(mlp_, kind, "columns", false, same_);
    return all;
  }

  Scale attention_, value_, query_key_, mlp_;
  AlignedVector<float> attention_norm_, mlp_norm_;  // before the transform
  std::vector<std::size_t> same_, heads_, query_pairs_, key_pairs_;
};

}  // namespace lrqat

#endif  // LRQAT_TRAIN_EQUIVALENT_TRANSFORM_HPP
