// SPDX-License-Identifier: MIT
// parameterization/tile_gradient.hpp: the element-wise heart of the backward pass.
#ifndef LRQAT_PARAMETERIZATION_TILE_GRADIENT_HPP
#define LRQAT_PARAMETERIZATION_TILE_GRADIENT_HPP

#include <lrqat/concept/initializer.hpp>  // QParams
#include <lrqat/concept/placement.hpp>    // placed_to_grid
#include <lrqat/core/config.hpp>

#include <algorithm>
#include <cstddef>

namespace lrqat {

/// What moves the levels of a cell (weights that share a scale) and is trained beside the scale.
enum class Shift { none, zero_point, offset };

/// Sums over weights of a cell: of g * dW_hat/ds, and of g * dW_hat/d(what shifts it).
struct CellGradient {
  float scale = 0.0f, shift = 0.0f;
};

namespace detail {

// Two of the widest vectors: one alone would wait for its own sums, which pass through memory.
inline constexpr std::size_t gradient_lanes = 32;

/// d level / d delta from d level / dz.
template <class Placement>
LRQAT_INLINE float pass_to_delta(float z, float pass) {
  if constexpr (joins_delta<Placement>)
    return pass * Placement::join_slope(z);
  else
    return pass;
}

/// One block of segment_gradient; adds each lane's part of the two sums, that of a zero point
/// without its factor -s.
template <class Grid, class Placement, class Estimator, class Coupling, Shift shift>
LRQAT_INLINE void block_gradient(QParams cell, float low, float high, const float* z, float* g,
                                 float* scale_sums, [[maybe_unused]] float* shift_sums) {
  LRQAT_INDEPENDENT
  for (std::size_t l = 0; l < gradient_lanes; ++l) {
    const float u = placed_to_grid<Placement, Grid>(z[l], cell), rounded = Grid::round(u);
    const float level = Grid::clip(rounded, cell.zero_point);
    const float pass = Estimator::pass(u, rounded, level, low, high);
    scale_sums[l] += g[l] * Coupling::slope(u, level, pass);
    if constexpr (shift == Shift::zero_point) shift_sums[l] += g[l] * (1.0f - pass);
    if constexpr (shift == Shift::offset) shift_sums[l] += g[l] * Coupling::offset_slope(pass);
    g[l] = Placement::z_gradient(g[l], pass_to_delta<Placement>(z[l], pass), cell.scale);
  }
}

/// The sum of `lanes` values, halves added to each other.
template <std::size_t lanes>
LRQAT_INLINE float sum_of_lanes(float* sums) {
  if constexpr (lanes == 1) {
    return sums[0];
  } else {
    constexpr std::size_t half = lanes / 2;
    LRQAT_INDEPENDENT
    for (std::size_t l = 0; l < half; ++l) sums[l] += sums[half + l];
    return sum_of_lanes<half>(sums);
  }
}

}  // namespace detail

/// Over `count` weights of one cell: turns g = dL/dW_hat into dL/ddelta in place and returns the sums
/// that are the cell's gradient. The sums run in 32 lanes that are added in a fixed order, so they
/// do not depend on the instruction set's width.
///
/// u = to_grid(z, s), pass = what the estimator lets through (lr-qat, section 1.5). A zero point
/// moves codes and levels against each other: W_hat stays where it is inside the range and moves by
/// -s where the clip holds its code (EfficientQAT). An offset moves W_hat as its coupling says.
template <class Grid, class Placement, class Estimator, class Coupling, Shift shift = Shift::none>
LRQAT_INLINE CellGradient segment_gradient(std::size_t count, QParams cell, const float* z,
                                           float* g) {
  constexpr std::size_t lanes = detail::gradient_lanes;
  const auto block = [cell, low = Grid::level(Grid::code_min, cell.zero_point),
                      high = Grid::level(Grid::code_max, cell.zero_point)](
                         const float* from, float* to, float* scale_sums,
                         float* shift_sums) LRQAT_INLINE_LAMBDA {
    detail::block_gradient<Grid, Placement, Estimator, Coupling, shift>(cell, low, high, from, to,
                                                                        scale_sums, shift_sums);
  };
  alignas(64) float scale_sums[lanes] = {}, shift_sums[shift == Shift::none ? 1 : lanes] = {};
  std::size_t first = 0;
  for (; first + lanes <= count; first += lanes)
    block(z + first, g + first, scale_sums, shift_sums);
  if (first < count) {  // the rest, padded with weights and gradients of zero
    alignas(64) float padded_z[lanes] = {}, padded_g[lanes] = {};
    std::copy(z + first, z + count, padded_z);
    std::copy(g + first, g + count, padded_g);
    block(padded_z, padded_g, scale_sums, shift_sums);
    std::copy_n(padded_g, count - first, g + first);
  }
  CellGradient sums{detail::sum_of_lanes<lanes>(scale_sums)};
  if constexpr (shift != Shift::none) sums.shift = detail::sum_of_lanes<lanes>(shift_sums);
  if constexpr (shift == Shift::zero_point) sums.shift *= -cell.scale;
  return sums;
}

}  // namespace lrqat

#endif  // LRQAT_PARAMETERIZATION_TILE_GRADIENT_HPP
