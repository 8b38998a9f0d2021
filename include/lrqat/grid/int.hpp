// SPDX-License-Identifier: MIT
// grid/int.hpp: signed integers, the symmetric uniform grid of LR-QAT and LSQ.
#ifndef LRQAT_GRID_INT_HPP
#define LRQAT_GRID_INT_HPP

#include <lrqat/concept/grid.hpp>
#include <lrqat/core/config.hpp>
#include <lrqat/core/numeric.hpp>  // round_half_even, clamp

namespace lrqat {

/// Levels -2^(Bits-1) .. 2^(Bits-1) - 1 (the full signed range, not restricted to +-p); rounding
/// is half to even (LR-QAT, arXiv 2406.06385, eq. 1 with zero point 0).
template <int Bits>
struct Int {
  static_assert(Bits >= 2 && Bits <= 8, "Int<Bits>: signed codes have 2 to 8 bits.");
  using policy_kind = kind::grid;
  static constexpr int bits = Bits, code_min = -(1 << (Bits - 1)), code_max = (1 << (Bits - 1)) - 1;
  static constexpr bool has_zero_point = false, levels_are_integers = true;

  template <class V>
  LRQAT_INLINE static V round(V u) {
    return round_half_even(u);
  }
  template <class V>
  LRQAT_INLINE static constexpr V clip(V rounded, V /*zero_point*/) {
    return clamp(rounded, V(code_min), V(code_max));
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

static_assert(Grid<Int<4>>);

}  // namespace lrqat

#endif  // LRQAT_GRID_INT_HPP
