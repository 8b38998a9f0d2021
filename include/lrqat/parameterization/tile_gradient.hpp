// SPDX-License-Identifier: MIT
// parameterization/tile_gradient.hpp: the element-wise heart of the backward pass.
#ifndef LRQAT_PARAMETERIZATION_TILE_GRADIENT_HPP
#define LRQAT_PARAMETERIZATION_TILE_GRADIENT_HPP

#include <lrqat/core/config.hpp>

#include <algorithm>
#include <cstddef>

namespace lrqat {

namespace detail {

// Two of the widest vectors: one alone would wait for its own sums, which pass through memory.
inline constexpr std::size_t gradient_lanes = 32;

/// One block of segment_gradient; sums[l] += g[l] * dW_hat/ds in each lane.
template <class Grid, class Placement, class Estimator, class Coupling>
LRQAT_INLINE void block_gradient(float scale, float divisor, float zero_point, float low,
                                 float high, const float* z, float* g, float* sums) {
  LRQAT_INDEPENDENT
  for (std::size_t l = 0; l < gradient_lanes; ++l) {
    const float u = Placement::to_grid(z[l], divisor), rounded = Grid::round(u);
    const float level = Grid::clip(rounded, zero_point);
    const float pass = Estimator::pass(u, rounded, level, low, high);
    sums[l] += g[l] * Coupling::slope(u, level, pass);
    g[l] = Placement::z_gradient(g[l], pass, scale);
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

/// Over `count` weights that share a scale: turns g = dL/dW_hat into dL/dz in place and returns
/// the sum of g * dW_hat/ds. The sum runs in 32 lanes that are added in a fixed order, so it does
/// not depend on the instruction set's width.
///
/// u = to_grid(z, divisor), the divisor being s but on grids with a threshold; pass = what the estimator lets through (lr-qat, section 1.5).
template <class Grid, class Placement, class Estimator, class Coupling>
LRQAT_INLINE float segment_gradient(std::size_t count, float scale, float divisor,
                                    float zero_point, const float* z, float* g) {
  constexpr std::size_t lanes = detail::gradient_lanes;
  const float low = Grid::level(Grid::code_min, zero_point);
  const float high = Grid::level(Grid::code_max, zero_point);
  alignas(64) float sums[lanes] = {};
  std::size_t first = 0;
  for (; first + lanes <= count; first += lanes)
    detail::block_gradient<Grid, Placement, Estimator, Coupling>(scale, divisor, zero_point, low,
                                                                 high, z + first, g + first, sums);
  if (first < count) {  // the rest, padded with weights and gradients of zero
    alignas(64) float padded_z[lanes] = {}, padded_g[lanes] = {};
    std::copy(z + first, z + count, padded_z);
    std::copy(g + first, g + count, padded_g);
    detail::block_gradient<Grid, Placement, Estimator, Coupling>(scale, divisor, zero_point, low,
                                                                 high, padded_z, padded_g, sums);
    std::copy_n(padded_g, count - first, g + first);
  }
  return detail::sum_of_lanes<lanes>(sums);
}

}  // namespace lrqat

#endif  // LRQAT_PARAMETERIZATION_TILE_GRADIENT_HPP
