// SPDX-License-Identifier: MIT
// initializer/no_clip.hpp: the smallest scale around zero that clips no weight.
#ifndef LRQAT_INITIALIZER_NO_CLIP_HPP
#define LRQAT_INITIALIZER_NO_CLIP_HPP

#include <lrqat/concept/initializer.hpp>
#include <lrqat/initializer/range.hpp>

#include <algorithm>
#include <cmath>

namespace lrqat {

/// scale = max(|min / n|, |max / p|) with n and p the lowest and the highest level (L4Q, Jeon et
/// al., arXiv 2402.04902), an offset starts at 0. A quotient that rounds beyond an end is brought
/// back: n <= w / scale <= p holds in float for every weight of the group. For grids with negative
/// codes and without a zero point.
struct NoClip {
  using policy_kind = kind::initializer;

  template <Grid G>
  requires(!G::has_zero_point && G::code_min < 0) static QParams
      choose(std::span<const float> group) {
    const float n = G::level(G::code_min, 0.0f), p = G::level(G::code_max, 0.0f);
    const Range range = range_of(group);
    float scale = std::max({range.low / n, range.high / p, scale_floor});
    while (range.low / scale < n || range.high / scale > p)
      scale = std::nextafter(scale, HUGE_VALF);
    return {scale, 0.0f, 0.0f};
  }
};

}  // namespace lrqat

#endif  // LRQAT_INITIALIZER_NO_CLIP_HPP
