// SPDX-License-Identifier: MIT
// grid/complex4.hpp: the fourth roots of unity, two bits for a complex weight.
#ifndef LRQAT_GRID_COMPLEX4_HPP
#define LRQAT_GRID_COMPLEX4_HPP

#include <lrqat/core/config.hpp>

namespace lrqat {

/// iFairy's levels 1, i, -1, -i (arXiv 2508.05571), the powers of i; a code is the exponent. No
/// Grid: it rounds the two parts of a weight together, and 1 and -1 have another scale than i and
/// -i.
struct Complex4 {
  static constexpr int bits = 2, code_min = 0, code_max = 3;

  /// The root nearest in phase: phases of [-pi/4, pi/4) are 1's, and so on by quarter turns, each
  /// with its lower end, so that turning a weight by i turns its code. 0 becomes 1, of either sign,
  /// where the published code has -1 for a real part of -0.
  LRQAT_INLINE static constexpr int code(float re, float im) {
    if (re > 0.0f && -re <= im && im < re) return 0;
    if (im > 0.0f && -im < re && re <= im) return 1;
    if (im < 0.0f && im <= re && re < -im) return 3;
    return re < 0.0f ? 2 : 0;
  }
  static constexpr bool is_real(int code) { return code % 2 == 0; }
  /// 1 for 1 and i, -1 for the two others.
  static constexpr float sign(int code) { return code < 2 ? 1.0f : -1.0f; }
};

}  // namespace lrqat

#endif  // LRQAT_GRID_COMPLEX4_HPP
