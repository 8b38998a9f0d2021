// SPDX-License-Identifier: MIT
// initializer/range.hpp: from a range of weights to scale and zero point.
#ifndef LRQAT_INITIALIZER_RANGE_HPP
#define LRQAT_INITIALIZER_RANGE_HPP

#include <lrqat/concept/grid.hpp>
#include <lrqat/concept/initializer.hpp>
#include <lrqat/core/config.hpp>   // LRQAT_INDEPENDENT
#include <lrqat/core/numeric.hpp>  // unfused_product, round_half_even, clamp
#include <lrqat/kernel/vectorised.hpp>

#include <algorithm>
#include <cstddef>
#include <span>

namespace lrqat {

/// Extremes of a group; zero is always inside, and NaN is passed over.
struct Range {
  float low = 0.0f, high = 0.0f;
};

inline Range range_of(std::span<const float> group) {
  Range range;
  kernel::vectorised([&] {
    constexpr std::size_t lanes = 16;
    float lows[lanes] = {}, highs[lanes] = {};
    const auto join = [&](float low, float high) LRQAT_INLINE_LAMBDA {
      range.low = low < range.low ? low : range.low;
      range.high = range.high < high ? high : range.high;
    };
    std::size_t first = 0;
    for (; first + lanes <= group.size(); first += lanes) {
      const float* const weights = group.data() + first;
      LRQAT_INDEPENDENT
      for (std::size_t lane = 0; lane < lanes; ++lane) {
        const float weight = weights[lane];
        lows[lane] = weight < lows[lane] ? weight : lows[lane];
        highs[lane] = highs[lane] < weight ? weight : highs[lane];
      }
    }
    for (std::size_t lane = 0; lane < lanes; ++lane) join(lows[lane], highs[lane]);
    for (; first < group.size(); ++first) join(group[first], group[first]);
  });
  return range;
}

/// The grid laid over `fraction` of the range; a group of zeros gets the scale floor.
template <Grid G>
QParams qparams_of_range(Range range, float fraction) {
  if constexpr (G::has_zero_point) {
    constexpr auto steps = static_cast<float>(G::code_max - G::code_min);
    const float low = unfused_product(fraction, range.low);
    const float high = unfused_product(fraction, range.high);
    const float scale = std::max((high - low) / steps, scale_floor);
    return {scale, clamp(round_half_even(-low / scale), static_cast<float>(G::code_min),
                         static_cast<float>(G::code_max))};
  } else {
    const float threshold = fraction * std::max(-range.low, range.high);
    return {std::max(threshold / G::level(G::code_max, 0.0f), scale_floor), 0.0f};
  }
}

}  // namespace lrqat

#endif  // LRQAT_INITIALIZER_RANGE_HPP
