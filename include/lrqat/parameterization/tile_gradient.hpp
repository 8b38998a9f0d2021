// SPDX-License-Identifier: MIT
// parameterization/tile_gradient.hpp: the element-wise heart of the backward pass.
#ifndef LRQAT_PARAMETERIZATION_TILE_GRADIENT_HPP
#define LRQAT_PARAMETERIZATION_TILE_GRADIENT_HPP

#include <lrqat/core/config.hpp>

#include <algorithm>
#include <cstddef>

namespace lrqat {

/// Over `count` weights that share a scale: turns g = dL/dW_hat into dL/dz in place and returns
/// the sum of g * dW_hat/ds. The sum runs in 16 lanes that are added in a fixed order, so it does
/// not depend on the instruction set's width.
///
/// u = to_grid(z, s), pass = what the estimator lets through (lr-qat, section 1.5).
template <class Grid, class Placement, class Estimator, class Coupling>
LRQAT_INLINE float segment_gradient(std::size_t count, float scale, float zero_point,
                                    const float* z, float* g) {
  constexpr std::size_t lanes = 16;
  const float low = Grid::level(Grid::code_min, zero_point);
  const float high = Grid::level(Grid::code_max, zero_point);
  float sums[lanes] = {};
  for (std::size_t first = 0; first < count; first += lanes) {
    float u[lanes], gradient[lanes], term[lanes];
    const std::size_t filled = std::min(lanes, count - first);
    if (filled == lanes) {
      for (std::size_t l = 0; l < lanes; ++l) u[l] = z[first + l];
      for (std::size_t l = 0; l < lanes; ++l) gradient[l] = g[first + l];
    } else {
      for (std::size_t l = 0; l < lanes; ++l) u[l] = l < filled ? z[first + l] : 0.0f;
      for (std::size_t l = 0; l < lanes; ++l) gradient[l] = l < filled ? g[first + l] : 0.0f;
    }
    for (std::size_t l = 0; l < lanes; ++l) {
      const float on_grid = Placement::to_grid(u[l], scale);
      const float rounded = Grid::round(on_grid), level = Grid::clip(rounded, zero_point);
      const float pass = Estimator::pass(on_grid, rounded, level, low, high);
      term[l] = gradient[l] * Coupling::slope(on_grid, level, pass);
      gradient[l] = Placement::z_gradient(gradient[l], pass, scale);
    }
    for (std::size_t l = 0; l < lanes; ++l) sums[l] += term[l];
    if (filled == lanes) {
      for (std::size_t l = 0; l < lanes; ++l) g[first + l] = gradient[l];
    } else {
      for (std::size_t l = 0; l < filled; ++l) g[first + l] = gradient[l];
    }
  }
  for (std::size_t width = lanes / 2; width > 0; width /= 2)
    for (std::size_t l = 0; l < width; ++l) sums[l] += sums[l + width];
  return sums[0];
}

}  // namespace lrqat

#endif  // LRQAT_PARAMETERIZATION_TILE_GRADIENT_HPP
