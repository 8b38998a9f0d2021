// SPDX-License-Identifier: MIT
// concept/initializer.hpp: how scale and zero point or offset start.
#ifndef LRQAT_CONCEPT_INITIALIZER_HPP
#define LRQAT_CONCEPT_INITIALIZER_HPP

#include <lrqat/core/policy.hpp>

#include <span>

namespace lrqat {

/// No scale is used below this, and a scale below it gets no gradient (lr-qat, section 1.1); formats
/// of scales may have a floor above it.
inline constexpr float scale_floor = 1e-8f;

/// What a group of weights shares: weight = scale * level + offset, code = level + zero_point.
struct QParams {
  float scale = 0.0f;
  float zero_point = 0.0f;  // integer-valued; 0 for grids without one
  float offset = 0.0f;      // a real in weight units; 0 for grids without one
  float step = 0.0f;        // for grids that has_threshold: what a weight is divided by; 0: the scale

  float divisor() const { return step > 0.0f ? step : scale; }
};

/// Extremes of a group.
struct Range {
  float low = 0.0f, high = 0.0f;
};

// clang-format off
/// choose<G>(group): scale and zero point or offset of one group of finite weights on grid G.
template <class I, class G>
concept InitializerOf = PolicyOf<I, kind::initializer> &&
    requires(std::span<const float> group) {
      { I::template choose<G>(group) } -> std::same_as<QParams>;
    };
// clang-format on

}  // namespace lrqat

#endif  // LRQAT_CONCEPT_INITIALIZER_HPP
