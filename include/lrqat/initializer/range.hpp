// SPDX-License-Identifier: MIT
// initializer/range.hpp: from a range of weights to scale and zero point or offset.
#ifndef LRQAT_INITIALIZER_RANGE_HPP
#define LRQAT_INITIALIZER_RANGE_HPP

#include <lrqat/concept/grid.hpp>
#include <lrqat/concept/initializer.hpp>
#include <lrqat/core/expects.hpp>
#include <lrqat/core/numeric.hpp>  // unfused_product, round_half_even, clamp
#include <lrqat/kernel/reduce.hpp>
#include <lrqat/kernel/vectorised.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>

namespace lrqat {

namespace detail {

/// @throws Error, beginning with `who`, unless low <= high in every channel, all finite
inline void expect_ranges(const char* who, std::span<const float> low,
                          std::span<const float> high) {
  expects(low.size() == high.size(), who, ": ", low.size(), " minima and ", high.size(), " maxima");
  for (std::size_t j = 0; j < low.size(); ++j)
    expects(std::isfinite(low[j]) && std::isfinite(high[j]) && low[j] <= high[j], who, ": channel ",
            j, " lies between ", low[j], " and ", high[j]);
}

}  // namespace detail

/// Zero is always inside, as a grid without offset has a level for it; NaN is passed over.
inline Range range_of(std::span<const float> group) {
  kernel::Extremes<float> range{0.0f, 0.0f};
  kernel::vectorised([&] { range = kernel::extremes_over(group.data(), group.size(), range); });
  return {range.low, range.high};
}

/// The extremes themselves. @pre the group is not empty
inline Range extremes_of(std::span<const float> group) {
  const auto [low, high] = std::minmax_element(group.begin(), group.end());
  return {*low, *high};
}

/// What a grid is laid over for a group.
template <Grid G>
Range grid_range_of(std::span<const float> group) {
  if constexpr (has_offset<G>)
    return extremes_of(group);
  else
    return range_of(group);
}

/// The grid laid over `fraction` of the range, which shrinks towards zero or, where an offset has
/// moved it away from there, towards the end next to zero. A group of equal weights gets the scale
/// floor.
template <Grid G>
QParams qparams_of_range(Range range, float fraction) {
  if constexpr (G::has_zero_point) {
    constexpr auto steps = static_cast<float>(G::code_max - G::code_min);
    const float low = unfused_product(fraction, range.low);
    const float high = unfused_product(fraction, range.high);
    const float scale = std::max((high - low) / steps, scale_floor);
    return {scale, clamp(round_half_even(-low / scale), static_cast<float>(G::code_min),
                         static_cast<float>(G::code_max))};
  } else if constexpr (has_offset<G>) {
    const float lowest = G::level(G::code_min, 0.0f), highest = G::level(G::code_max, 0.0f);
    const float fixed = clamp(0.0f, range.low, range.high);
    const float low = fused_multiply_add(fraction, range.low - fixed, fixed);
    const float high = fused_multiply_add(fraction, range.high - fixed, fixed);
    const float scale = std::max((high - low) / (highest - lowest), scale_floor);
    return {scale, 0.0f, fused_multiply_add(-scale, lowest, low)};
  } else {
    const float threshold = fraction * std::max(-range.low, range.high);
    return {std::max(threshold / G::level(G::code_max, 0.0f), scale_floor), 0.0f};
  }
}

}  // namespace lrqat

#endif  // LRQAT_INITIALIZER_RANGE_HPP
