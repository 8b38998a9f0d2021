// SPDX-License-Identifier: MIT
// grid/nested.hpp: the integers of a high precision, rounded again to a lower one.
#ifndef LRQAT_GRID_NESTED_HPP
#define LRQAT_GRID_NESTED_HPP

#include <lrqat/concept/grid.hpp>
#include <lrqat/core/config.hpp>
#include <lrqat/core/numeric.hpp>  // round_half_even, clamp
#include <lrqat/grid/int.hpp>

namespace lrqat {

/// Double Rounding (arXiv 2502.01199, section 3.2): with W_h = clip(round(u)) in High bits,
/// W_l = clip(round(W_h / 2^(High - Low))), both half to even. Grid units and the scale stay those
/// of the high precision, so that a level is 2^(High - Low) W_l and its code W_l: all widths of one
/// High share base and scale. Nested<8, 8> has the levels of Int<8>.
///
/// A weight keeps its gradient where neither clipping moved it. It moves by at most half a low
/// step, except near the top, which is up to 1 - 2^-(High - Low) of a low step away.
template <int High, int Low>
struct Nested {
  static_assert(Low >= 2 && Low <= High && High <= 8,
                "Nested<High, Low>: 2 to 8 bits, the higher precision first.");
  using policy_kind = kind::grid;
  using base_grid = Int<High>;
  static constexpr int bits = Low, code_min = Int<Low>::code_min, code_max = Int<Low>::code_max;
  static constexpr int step = 1 << (High - Low);  // between two levels, in units of the scale
  static constexpr bool has_zero_point = false;

  /// What lies below the high precision's range stays below this one's.
  template <class V>
  LRQAT_INLINE static V round(V u) {
    const V high = round_half_even(u), below = high - V(Int<High>::code_min);
    return round_half_even(high * (V(1) / V(step))) * V(step) + (below < V(0) ? below : V(0));
  }
  template <class V>
  LRQAT_INLINE static constexpr V clip(V rounded, V /*zero_point*/) {
    return clamp(rounded, V(code_min * step), V(code_max * step));
  }
  template <class V>
  LRQAT_INLINE static constexpr int code(V level, V /*zero_point*/) {
    return static_cast<int>(level) / step;
  }
  template <class V>
  LRQAT_INLINE static constexpr V level(int code, V /*zero_point*/) {
    return static_cast<V>(code * step);
  }
};

static_assert(Grid<Nested<8, 4>>);

/// The widths of a layer that serves several, the highest first.
template <int High, int... Lows>
struct BitWidths {
  static constexpr int high = High;
  static constexpr bool contains(int bits) { return bits == High || ((bits == Lows) || ...); }

 private:
  static consteval bool fall() {
    int last = High;
    return ((Lows < last && (last = Lows) >= 2) && ...);
  }
  static_assert(High >= 2 && High <= 8 && fall(),
                "BitWidths<High, Lows...>: 2 to 8 bits, each width lower than the one before.");
};

}  // namespace lrqat

#endif  // LRQAT_GRID_NESTED_HPP
