// SPDX-License-Identifier: MIT
// initializer/min_max.hpp: the scale that clips nothing on its smaller side.
#ifndef LRQAT_INITIALIZER_MIN_MAX_HPP
#define LRQAT_INITIALIZER_MIN_MAX_HPP

#include <lrqat/concept/initializer.hpp>
#include <lrqat/initializer/range.hpp>

namespace lrqat {

/// Symmetric grids: scale = max|w| / p, p the highest level (lr-qat, section 1.7). Grids with a
/// zero point: scale = (max - min) / (code_max - code_min), zero point = round(-min / scale). Grids
/// with an offset: the lowest level n on min, the highest p on max, scale = (max - min) / (p - n),
/// offset = min - scale n.
struct MinMax {
  using policy_kind = kind::initializer;

  template <Grid G>
  static QParams choose(std::span<const float> group) {
    return qparams_of_range<G>(grid_range_of<G>(group), 1.0f);
  }
};

}  // namespace lrqat

#endif  // LRQAT_INITIALIZER_MIN_MAX_HPP
