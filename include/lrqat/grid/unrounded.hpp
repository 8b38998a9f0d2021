// SPDX-License-Identifier: MIT
// grid/unrounded.hpp: the range of a grid without its rounding, for weights that are still soft.
#ifndef LRQAT_GRID_UNROUNDED_HPP
#define LRQAT_GRID_UNROUNDED_HPP

#include <lrqat/concept/grid.hpp>
#include <lrqat/core/config.hpp>  // LRQAT_INLINE
#include <lrqat/grid/int.hpp>

namespace lrqat {

/// W_hat = s clip(u): every gradient is a true derivative. With BoundedRounding this is AdaRound's
/// soft phase. Such a layer has no codes: finalise(layer) rounds it for good, and
/// std::move(layer).on_grid<G>() goes on training it with the rounding of G. The base and the first
/// scale are those of G.
template <Grid G>
struct Unrounded : G {
  using base_grid = base_grid_of<G>;
  using rounded = G;
  static constexpr bool leaves_reals = true, levels_are_integers = false;

  template <class V>
  LRQAT_INLINE static constexpr V round(V u) {
    return u;
  }
};

static_assert(Grid<Unrounded<Int<4>>> && !IntegerGrid<Unrounded<Int<4>>>);

}  // namespace lrqat

#endif  // LRQAT_GRID_UNROUNDED_HPP
