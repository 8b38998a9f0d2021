// SPDX-License-Identifier: MIT
// grid/ternary.hpp: minus one, zero, one.
#ifndef LRQAT_GRID_TERNARY_HPP
#define LRQAT_GRID_TERNARY_HPP

#include <lrqat/concept/grid.hpp>
#include <lrqat/core/config.hpp>
#include <lrqat/core/numeric.hpp>  // round_half_even, clamp

namespace lrqat {

/// Levels -1, 0, 1 in two bits. A group's threshold is half its QParams::step, which an initializer
/// may choose apart from the scale (TWN: Li and Liu, arXiv 1605.04711): weight = scale * level, level
/// = 0 where |weight| <= step / 2.
struct Ternary {
  using policy_kind = kind::grid;
  static constexpr int bits = 2, code_min = -1, code_max = 1;
  static constexpr bool has_zero_point = false, levels_are_integers = true, has_threshold = true;

  template <class V>
  LRQAT_INLINE static V round(V u) {
    return round_half_even(u);
  }
  template <class V>
  LRQAT_INLINE static constexpr V clip(V rounded, V /*zero_point*/) {
    return clamp(rounded, V(-1), V(1));
  }
  template <class V>
  LRQAT_INLINE static constexpr int code(V level, V /*zero_point*/) {
    return static_cast<int>(level);
  }
  template <class V>
  LRQAT_INLINE static constexpr V level(int code, V /*zero_point*/) {
    return static_cast<V>(code);
  }
};

static_assert(IntegerGrid<Ternary>);

}  // namespace lrqat

#endif  // LRQAT_GRID_TERNARY_HPP
