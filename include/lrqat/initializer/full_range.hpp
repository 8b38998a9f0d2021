// SPDX-License-Identifier: MIT
// initializer/full_range.hpp: the scale that uses the lowest level of a signed grid too.
#ifndef LRQAT_INITIALIZER_FULL_RANGE_HPP
#define LRQAT_INITIALIZER_FULL_RANGE_HPP

#include <lrqat/concept/initializer.hpp>
#include <lrqat/initializer/range.hpp>

#include <algorithm>

namespace lrqat {

/// Signed grids: scale = max|w| / 2^(b-1), so that a weight of -max|w| takes the lowest level and
/// one of +max|w| is clipped by one level; at 2 and 3 bits that beats MinMax, which leaves the lowest
/// level unused. Grids with a zero point or an offset have no unused level: as MinMax.
struct FullRange {
  using policy_kind = kind::initializer;

  template <Grid G>
  static QParams choose(std::span<const float> group) {
    const Range range = grid_range_of<G>(group);
    if constexpr (G::has_zero_point || has_offset<G>) {
      return qparams_of_range<G>(range, 1.0f);
    } else {
      const float threshold = std::max(-range.low, range.high);
      return {std::max(threshold / -G::level(G::code_min, 0.0f), scale_floor), 0.0f};
    }
  }
};

}  // namespace lrqat

#endif  // LRQAT_INITIALIZER_FULL_RANGE_HPP
