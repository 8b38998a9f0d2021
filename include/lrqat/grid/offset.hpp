// SPDX-License-Identifier: MIT
// grid/offset.hpp: the levels of a grid, moved by a real offset.
#ifndef LRQAT_GRID_OFFSET_HPP
#define LRQAT_GRID_OFFSET_HPP

#include <lrqat/concept/grid.hpp>
#include <lrqat/core/config.hpp>
#include <lrqat/grid/int.hpp>
#include <lrqat/grid/uint.hpp>

namespace lrqat {

/// W_hat = s level + beta with a real beta for each group, in place of a zero point: the levels of
/// G at zero point 0. Offset<Int<b>> is the weight grid of LSQ+ (Bhalgat et al. 2020) and L4Q,
/// Offset<UInt<b>> has beta at its lowest level, as GGUF's Q4_1.
template <Grid G>
struct Offset {
  static_assert(!lrqat::has_offset<G>, "Offset<G>: the grid G has an offset already.");
  using policy_kind = kind::grid;
  static constexpr int bits = G::bits, code_min = G::code_min, code_max = G::code_max;
  static constexpr bool has_zero_point = false, has_offset = true;

  template <class V>
  LRQAT_INLINE static V round(V u) {
    return G::round(u);
  }
  template <class V>
  LRQAT_INLINE static constexpr V clip(V rounded, V /*zero_point*/) {
    return G::clip(rounded, V(0));
  }
  template <class V>
  LRQAT_INLINE static constexpr int code(V level, V /*zero_point*/) {
    return G::code(level, V(0));
  }
  template <class V>
  LRQAT_INLINE static constexpr V level(int code, V /*zero_point*/) {
    return G::level(code, V(0));
  }
};

static_assert(Grid<Offset<Int<4>>> && Grid<Offset<UInt<4>>> && !IntegerGrid<Offset<Int<4>>>);

}  // namespace lrqat

#endif  // LRQAT_GRID_OFFSET_HPP
