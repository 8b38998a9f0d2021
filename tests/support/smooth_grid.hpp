// SPDX-License-Identifier: MIT
// tests/support/smooth_grid.hpp: a grid without rounding, on which a layer has true derivatives.
#ifndef LRQAT_TESTS_SUPPORT_SMOOTH_GRID_HPP
#define LRQAT_TESTS_SUPPORT_SMOOTH_GRID_HPP

#include <lrqat/core/config.hpp>
#include <lrqat/core/numeric.hpp>
#include <lrqat/core/policy.hpp>

namespace lrqat::test {

/// Reals between two ends.
struct Smooth {
  using policy_kind = kind::grid;
  static constexpr int bits = 4, code_min = -4, code_max = 3;
  static constexpr bool has_zero_point = false;
  template <class V>
  LRQAT_INLINE static V round(V u) {
    return u;
  }
  template <class V>
  LRQAT_INLINE static V clip(V rounded, V) {
    return clamp(rounded, V(code_min), V(code_max));
  }
  template <class V>
  LRQAT_INLINE static int code(V level, V) {
    return static_cast<int>(level);
  }
  template <class V>
  LRQAT_INLINE static V level(int code, V) {
    return static_cast<V>(code);
  }
};

}  // namespace lrqat::test

#endif  // LRQAT_TESTS_SUPPORT_SMOOTH_GRID_HPP
