// SPDX-License-Identifier: MIT
// grid/mid_rise.hpp: a uniform grid without a zero, QuEST's, down to one bit.
#ifndef LRQAT_GRID_MID_RISE_HPP
#define LRQAT_GRID_MID_RISE_HPP

#include <lrqat/concept/grid.hpp>
#include <lrqat/core/config.hpp>
#include <lrqat/core/numeric.hpp>  // round_half_even, clamp

namespace lrqat {

/// 2^Bits levels at the odd multiples of half a step, -(2^Bits - 1) / 2 .. (2^Bits - 1) / 2: level =
/// code + 1/2, codes as those of Int<Bits>. Rounding is QuEST's round(u + 1/2) - 1/2, half to even
/// (Panferov et al., arXiv 2502.05003); it is the nearest level but for |u| < 2^-25, which is a tie.
template <int Bits>
struct MidRise {
  static_assert(Bits >= 1 && Bits <= 8, "MidRise<Bits>: codes have 1 to 8 bits.");
  using policy_kind = kind::grid;
  static constexpr int bits = Bits, code_min = -(1 << (Bits - 1)), code_max = (1 << (Bits - 1)) - 1;
  static constexpr bool has_zero_point = false, levels_are_even = true;

  template <class V>
  LRQAT_INLINE static V round(V u) {
    return round_half_even(u + V(0.5)) - V(0.5);
  }
  template <class V>
  LRQAT_INLINE static constexpr V clip(V rounded, V /*zero_point*/) {
    return clamp(rounded, V(code_min) + V(0.5), V(code_max) + V(0.5));
  }
  template <class V>
  LRQAT_INLINE static constexpr int code(V level, V /*zero_point*/) {
    return static_cast<int>(level - V(0.5));
  }
  template <class V>
  LRQAT_INLINE static constexpr V level(int code, V /*zero_point*/) {
    return static_cast<V>(code) + V(0.5);
  }
};

/// -1/2 and 1/2: weight = +-scale / 2, one bit.
using Sign = MidRise<1>;

static_assert(EvenGrid<MidRise<4>> && EvenGrid<Sign>);

}  // namespace lrqat

#endif  // LRQAT_GRID_MID_RISE_HPP
