// SPDX-License-Identifier: MIT
// grid/unquantized.hpp: every real is a level; what LoRA works on.
#ifndef LRQAT_GRID_UNQUANTIZED_HPP
#define LRQAT_GRID_UNQUANTIZED_HPP

#include <lrqat/concept/grid.hpp>
#include <lrqat/core/config.hpp>

#include <limits>

namespace lrqat {

/// Rounding and clipping change nothing. Its layers keep their base in Dense<float> or Dense<bf16>
/// on scales of 1 (UnitScale), both by default, and have no codes: merge() gives a DenseLinear.
/// The two codes are the ends of the range, for estimators that compare with them.
struct Unquantized {
  using policy_kind = kind::grid;
  static constexpr int bits = 0, code_min = 0, code_max = 1;
  static constexpr bool has_zero_point = false;

  template <class V>
  LRQAT_INLINE static constexpr V round(V u) {
    return u;
  }
  template <class V>
  LRQAT_INLINE static constexpr V clip(V rounded, V /*zero_point*/) {
    return rounded;
  }
  template <class V>
  LRQAT_INLINE static constexpr int code(V level, V /*zero_point*/) {
    return level > V(0) ? code_max : code_min;
  }
  template <class V>
  LRQAT_INLINE static constexpr V level(int code, V /*zero_point*/) {
    constexpr V infinity = std::numeric_limits<V>::infinity();
    return code == code_min ? -infinity : infinity;
  }
};

static_assert(Grid<Unquantized>);

}  // namespace lrqat

#endif  // LRQAT_GRID_UNQUANTIZED_HPP
