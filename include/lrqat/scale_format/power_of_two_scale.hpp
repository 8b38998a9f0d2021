// SPDX-License-Identifier: MIT
// scale_format/power_of_two_scale.hpp: the shared exponent of block floating point (MX's E8M0).
#ifndef LRQAT_SCALE_FORMAT_POWER_OF_TWO_SCALE_HPP
#define LRQAT_SCALE_FORMAT_POWER_OF_TWO_SCALE_HPP

#include <lrqat/concept/initializer.hpp>  // scale_floor
#include <lrqat/concept/scale_format.hpp>
#include <lrqat/core/config.hpp>

#include <bit>
#include <cstdint>

namespace lrqat {

/// A scale is used as the smallest power of two that is not below it, 2^-26 to 2^127: 8 bits in a
/// file. Rounding up never makes a level larger, so what MinMax does not clip stays unclipped.
///
/// MXINT of b bits (Zhang et al., LQER, arXiv 2402.02446) is Int<b>, PerGroup<16>, FullRange and
/// this format: the exponent is ceil(log2 max|w|), the scale that to the power of two over 2^(b-1),
/// as in the published block_fp quantizer; a positive extreme may there be clipped by up to one
/// level. Two differences: its mantissas have a sign bit and no level -2^(b-1), which Int<b> has,
/// so that errors here are never larger; and its exponents go on below 2^-26.
struct PowerOfTwoScale {
  using policy_kind = kind::scale_format;
  constexpr explicit PowerOfTwoScale(const QuantOptions& = {}) {}

  static constexpr float floor() { return 0x1p-26f; }
  /// @pre scale is positive and normal, infinite or NaN; the last two stay
  template <class G>
  LRQAT_INLINE static constexpr float round(float scale, float /*zero_point*/) {
    constexpr std::uint32_t fraction = 0x007FFFFFu, infinity = 0x7F800000u;
    const auto word = std::bit_cast<std::uint32_t>(scale);
    if (word >= infinity) return scale;
    return std::bit_cast<float>((word + fraction) & ~fraction);
  }
};

static_assert(PowerOfTwoScale::floor() >= scale_floor);

}  // namespace lrqat

#endif  // LRQAT_SCALE_FORMAT_POWER_OF_TWO_SCALE_HPP
