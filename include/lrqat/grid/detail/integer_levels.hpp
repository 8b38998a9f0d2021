// SPDX-License-Identifier: MIT
// grid/detail/integer_levels.hpp: signed integers that are their own codes.
#ifndef LRQAT_GRID_DETAIL_INTEGER_LEVELS_HPP
#define LRQAT_GRID_DETAIL_INTEGER_LEVELS_HPP

#include <lrqat/core/config.hpp>
#include <lrqat/core/numeric.hpp>  // round_half_even, clamp
#include <lrqat/core/policy.hpp>

namespace lrqat::detail {

/// What Int, SymmetricInt and Ternary have in common: levels Low .. High, rounding half to even.
template <int Low, int High>
struct IntegerLevels {
  using policy_kind = kind::grid;
  static constexpr int code_min = Low, code_max = High;
  static constexpr bool has_zero_point = false, levels_are_integers = true;

  template <class V>
  LRQAT_INLINE static V round(V u) {
    return round_half_even(u);
  }
  template <class V>
  LRQAT_INLINE static constexpr V clip(V rounded, V /*zero_point*/) {
    return clamp(rounded, V(Low), V(High));
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

}  // namespace lrqat::detail

#endif  // LRQAT_GRID_DETAIL_INTEGER_LEVELS_HPP
