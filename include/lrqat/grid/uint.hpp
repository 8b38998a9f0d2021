// SPDX-License-Identifier: MIT
// grid/uint.hpp: unsigned integers with an integer zero point, the asymmetric uniform grid.
#ifndef LRQAT_GRID_UINT_HPP
#define LRQAT_GRID_UINT_HPP

#include <lrqat/concept/grid.hpp>
#include <lrqat/core/config.hpp>
#include <lrqat/core/numeric.hpp>  // round_half_even, clamp

namespace lrqat {

/// Codes 0 .. 2^Bits - 1 and a zero point z per group, an integer frozen at the start:
/// level = code - z = clip(round(u), -z, 2^Bits - 1 - z), which equals clipping round(u) + z to
/// the codes (the asymmetric grid of LR-QAT's 2-bit results; also GPTQ's and PEQA's).
template <int Bits>
struct UInt {
  static_assert(Bits >= 2 && Bits <= 8, "UInt<Bits>: unsigned codes have 2 to 8 bits.");
  using policy_kind = kind::grid;
  static constexpr int bits = Bits, code_min = 0, code_max = (1 << Bits) - 1;
  static constexpr bool has_zero_point = true, levels_are_integers = true;

  template <class V>
  LRQAT_INLINE static V round(V u) {
    return round_half_even(u);
  }
  template <class V>
  LRQAT_INLINE static constexpr V clip(V rounded, V zero_point) {
    return clamp(rounded, -zero_point, V(code_max) - zero_point);
  }
  template <class V>
  LRQAT_INLINE static constexpr int code(V level, V zero_point) {
    return static_cast<int>(level + zero_point);
  }
  template <class V>
  LRQAT_INLINE static constexpr V level(int code, V zero_point) {
    return static_cast<V>(code) - zero_point;
  }
};

static_assert(Grid<UInt<4>>);

}  // namespace lrqat

#endif  // LRQAT_GRID_UINT_HPP
