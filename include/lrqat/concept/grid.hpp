// SPDX-License-Identifier: MIT
// concept/grid.hpp: which levels a weight can take, and how a real becomes one.
#ifndef LRQAT_CONCEPT_GRID_HPP
#define LRQAT_CONCEPT_GRID_HPP

#include <lrqat/core/config.hpp>
#include <lrqat/core/numeric.hpp>  // fused_multiply_add
#include <lrqat/core/policy.hpp>

namespace lrqat {

/// Optional member of a grid: weights on it are scale * level + offset, the offset a real in weight
/// units that each group has beside its scale. Such a grid has no zero point.
template <class G>
inline constexpr bool has_offset = requires { requires G::has_offset; };

// clang-format off
/// A grid works in grid units (weight divided by scale). Its functions are templates over the
/// value type, without branches, so that they vanish into vector loops:
///
/// round(u)          nearest level if the range had no end (half to even)
/// clip(r, z)        r moved into the range; what round leaves unchanged by clip gets a gradient
/// code(level, z)    the stored integer of a level, code_min .. code_max in `bits` bits
/// level(code, z)    its inverse
///
/// z is the zero point of the level's group; grids without one (has_zero_point) are given 0.
/// bits = 0: every real is a level (grid/unquantized.hpp), and there are no codes to merge into.
template <class G>
concept Grid = PolicyOf<G, kind::grid> && requires(float u, float zero_point, int code) {
  int{G::bits}; int{G::code_min}; int{G::code_max}; bool{G::has_zero_point};
  requires !(G::has_zero_point && has_offset<G>);
  { G::round(u) } -> std::same_as<float>;
  { G::clip(u, zero_point) } -> std::same_as<float>;
  { G::code(u, zero_point) } -> std::same_as<int>;
  { G::level(code, zero_point) } -> std::same_as<float>;
};

/// A grid may also say (optional members):
///
/// levels_are_integers   level(code, z) is code - z
/// levels_are_even       neighbouring levels are 1 apart, integers or not
/// levels_are_a_table    neighbouring levels are unevenly far apart
/// has_threshold         a group's weights are divided by another number than they are multiplied
///                       with: QParams::step, where |u| = 1/2 is the threshold of a level
/// leaves_reals          it does not round: its weights have no codes yet
/// base_grid             the grid that a weight's base is stored for and its first scale chosen on,
///                       where its levels come from another one

/// A grid whose levels are a table, and says so.
template <class G>
concept CodebookGrid = Grid<G> && requires { requires G::levels_are_a_table; };

/// A grid whose level(code, z) is code - z, and says so: its codes can be multiplied as they are.
template <class G>
concept IntegerGrid = Grid<G> && requires { requires G::levels_are_integers; };

/// A grid with a step: its levels are as far from each other everywhere.
template <class G>
concept EvenGrid = IntegerGrid<G> || (Grid<G> && requires { requires G::levels_are_even; });
// clang-format on

template <class G>
inline constexpr bool has_threshold = requires { requires G::has_threshold; };
template <class G>
inline constexpr bool leaves_reals = requires { requires G::leaves_reals; };

template <class G>
struct base_grid {
  using type = G;
};
template <class G>
  requires requires { typename G::base_grid; }
struct base_grid<G> {
  using type = typename G::base_grid;
};
template <class G>
using base_grid_of = typename base_grid<G>::type;

/// The weight of a level: the one expression for it, so that layers that train and merged ones have
/// the same bits.
template <Grid G>
LRQAT_INLINE float weight_of_level(float scale, float level, float offset) {
  if constexpr (has_offset<G>)
    return fused_multiply_add(scale, level, offset);
  else
    return scale * level;
}

}  // namespace lrqat

#endif  // LRQAT_CONCEPT_GRID_HPP
