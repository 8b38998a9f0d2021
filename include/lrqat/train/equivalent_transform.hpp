// SPDX-License-Identifier: MIT
// train/equivalent_transform.hpp: trained scales between neighbouring layers of a LLaMA's block.
#ifndef LRQAT_TRAIN_EQUIVALENT_TRANSFORM_HPP
#define LRQAT_TRAIN_EQUIVALENT_TRANSFORM_HPP

#include <lrqat/core/aligned.hpp>
#include <lrqat/core/expects.hpp>
#include <lrqat/core/matrix_view.hpp>
#include <lrqat/core/parameter.hpp>
#include <lrqat/nn/fold.hpp>  // spread_over_heads
#include <lrqat/nn/linear_name.hpp>
#include <lrqat/nn/llama_block.hpp>

#include <algorithm>
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

template <class Linear>
class Transformed;

/// OmniQuant's learned equivalent transforms (Shao et al., arXiv 2308.13137, section 3.3) of one
/// block of a LLaMA: without quantization its function stays, whatever the scales. Its layers have
/// ChannelScales; BlockReconstruction::train makes it Transformed. After training everything is
/// folded already: norms hold their scales, layers merge to codes. Only the same object can train
/// that block again, as it alone knows what its norms were.
///
/// Scales alone: an RMS norm has no bias that a shift could go into. A pair of channels that rotary
/// embedding turns has one scale between query and key, and all query heads of a group share them;
/// the published code has one for each channel, which changes the function behind a rotation.
/// Scales are kept at 1e-2 and above; the published code bounds their magnitude.
class EquivalentTransform {
 public:
  static constexpr float least_scale = 1e-2f;

  /// Errors: another number of scales than the config wants; one that is not positive and finite.
  EquivalentTransform(const LlamaConfig& config, EquivalentScales start) {
    const std::size_t kv = config.kv_heads * config.head_dim;
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
    heads_ = spread_over_heads(config, std::span<const std::size_t>(same_).first(kv));
    for (const std::size_t channel : heads_) query_pairs_.push_back(channel / 2);
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

 private:
  template <class Linear>
  friend class Transformed;

  struct Scale {
    std::vector<float> value, gradient;
    std::vector<float> written{};  // by the last apply()
  };
  /// value[i] is k = scale[which[i]], or first[i] / k, 1 / k where first is empty.
  struct Tie {
    Scale* scale;
    bool divides;
    std::span<const std::size_t> which;
    std::span<float> value, gradient;
    const AlignedVector<float>* first = nullptr;  // of a norm, else null

    float under(std::span<const float> scales, std::size_t i) const {
      const float k = scales[which[i]];
      return !divides ? k : (first == nullptr ? 1.0f : (*first)[i]) / k;
    }
  };

  /// See Transformed.
  template <class Linear>
  void begin(const BlockLayers<Linear>& layers) {
    const FrameTensor<float>&attention = *layers.attention_norm, &mlp = *layers.mlp_norm;
    expects(attention.gradient.empty() && mlp.gradient.empty(),
            "EquivalentTransform: the norms are trained, but their scales are the transform's; "
            "leave train_norms out");
    const std::vector<Tie> all = ties(layers);
    if (is_as_left(all)) return;
    for (const Tie& tie : all)
      for (std::size_t i = 0; tie.first == nullptr && i < tie.value.size(); ++i)
        expects(tie.value[i] == 1, "EquivalentTransform: a layer of the block is scaled by ",
                tie.value[i], " already; only the transform that did it can train it again");
    attention_norm_ = attention.value;
    mlp_norm_ = mlp.value;
  }

  /// Whether everything tied is what the last apply() wrote.
  static bool is_as_left(const std::vector<Tie>& all) {
    for (const Tie& tie : all) {
      if (tie.scale->written.empty()) return false;
      for (std::size_t i = 0; i < tie.value.size(); ++i)
        if (tie.value[i] != tie.under(tie.scale->written, i)) return false;
    }
    return true;
  }

  template <class Linear>
  void apply(const BlockLayers<Linear>& layers) {
    for (Scale* scale : {&attention_, &value_, &query_key_, &mlp_}) {
      for (float& k : scale->value) k = k < least_scale ? least_scale : k;
      scale->written = scale->value;
    }
    for (const Tie& tie : ties(layers))
      for (std::size_t i = 0; i < tie.value.size(); ++i)
        tie.value[i] = tie.under(tie.scale->value, i);
  }

  template <class Linear>
  void collect(const BlockLayers<Linear>& layers) {
    for (const Tie& tie : ties(layers))
      for (std::size_t i = 0; i < tie.value.size(); ++i) {
        const float slope =
            tie.divides ? -tie.value[i] / tie.scale->value[tie.which[i]] : 1.0f;
        tie.scale->gradient[tie.which[i]] += slope * std::exchange(tie.gradient[i], 0.0f);
      }
  }

  template <class Linear>
  std::vector<Tie> ties(const BlockLayers<Linear>& layers) {
    std::vector<Tie> all;
    const auto of_norm = [&](Scale& scale, FrameTensor<float>& norm,
                             const AlignedVector<float>& first) {
      all.push_back({&scale, true, same_, norm.value, norm.gradient, &first});
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

/// A block under its transform while this lives, which both outlive: its norms have gradients. Then
/// they are frozen again and stay as they have become.
template <class Linear>
class Transformed {
 public:
  /// Changes no number yet.
  /// Errors: norms that are trained already; layers without ChannelScales; a block whose layers are
  /// scaled already, but not as this transform left them.
  Transformed(EquivalentTransform& transform, const BlockLayers<Linear>& layers)
      : transform_(transform), layers_(layers) {
    transform.begin(layers);
    train_norms(true);
  }
  ~Transformed() { train_norms(false); }
  Transformed(const Transformed&) = delete;
  Transformed& operator=(const Transformed&) = delete;

  /// Writes the scales into norms, rows and columns; the layers' after_step() is to follow.
  void apply() { transform_.apply(layers_); }
  /// Adds what norms, rows and columns were given to the gradients of the scales, and clears it.
  void collect() { transform_.collect(layers_); }

 private:
  void train_norms(bool trained) {
    for (FrameTensor<float>* norm : {layers_.attention_norm, layers_.mlp_norm})
      norm->train(trained);
  }

  EquivalentTransform& transform_;
  BlockLayers<Linear> layers_;
};

}  // namespace lrqat

#endif  // LRQAT_TRAIN_EQUIVALENT_TRANSFORM_HPP
