// SPDX-License-Identifier: MIT
// grid/symmetric_int.hpp: signed integers without the lowest, so that both ends are alike.
#ifndef LRQAT_GRID_SYMMETRIC_INT_HPP
#define LRQAT_GRID_SYMMETRIC_INT_HPP

#include <lrqat/concept/grid.hpp>
#include <lrqat/core/config.hpp>
#include <lrqat/core/numeric.hpp>  // round_half_even, clamp

namespace lrqat {

/// Levels -p .. p, p = 2^(Bits-1) - 1 (LLM-QAT's weights, SmoothQuant's and QServe's activations);
/// rounding is half to even.
template <int Bits>
struct SymmetricInt {
  static_assert(Bits >= 2 && Bits <= 8, "SymmetricInt<Bits>: signed codes have 2 to 8 bits.");
  using policy_kind = kind::grid;
  static constexpr int bits = Bits, code_max = (1 << (Bits - 1)) - 1, code_min = -code_max;
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

static_assert(IntegerGrid<SymmetricInt<4>>);

}  // namespace lrqat

#endif  // LRQAT_GRID_SYMMETRIC_INT_HPP
