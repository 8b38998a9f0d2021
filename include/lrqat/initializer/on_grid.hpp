// SPDX-License-Identifier: MIT
// initializer/on_grid.hpp: one weight to the nearest level of its group.
#ifndef LRQAT_INITIALIZER_ON_GRID_HPP
#define LRQAT_INITIALIZER_ON_GRID_HPP

#include <lrqat/concept/grid.hpp>
#include <lrqat/concept/initializer.hpp>
#include <lrqat/core/config.hpp>
#include <lrqat/core/numeric.hpp>  // unfused_product

namespace lrqat {

/// clip(round((weight - offset) / step)): what a layer of grid G makes of a weight at its start.
template <Grid G>
LRQAT_INLINE float level_on_grid(float weight, const QParams& qparams) {
  const float from_offset = has_offset<G> ? weight - qparams.offset : weight;
  return G::clip(G::round(from_offset / qparams.divisor()), qparams.zero_point);
}

/// The weight of that level; never the negative zero, which no code stands for.
template <Grid G>
LRQAT_INLINE float on_grid(float weight, const QParams& qparams) {
  const int code = G::code(level_on_grid<G>(weight, qparams), qparams.zero_point);
  const float level = G::level(code, qparams.zero_point);
  if constexpr (has_offset<G>)
    return weight_of_level<G>(qparams.scale, level, qparams.offset);
  else
    return unfused_product(qparams.scale, level);
}

}  // namespace lrqat

#endif  // LRQAT_INITIALIZER_ON_GRID_HPP
