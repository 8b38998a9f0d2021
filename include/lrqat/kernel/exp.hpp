// SPDX-License-Identifier: MIT
// kernel/exp.hpp: e^x as plain arithmetic, so that loops over it become vector instructions.
#ifndef LRQAT_KERNEL_EXP_HPP
#define LRQAT_KERNEL_EXP_HPP

#include <lrqat/core/config.hpp>  // LRQAT_INLINE

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace lrqat::kernel {

/// e^x within 2 units in the last place. From ln(2^128) on it is infinite, below ln(2^-126) it is 0
/// (no subnormal results); NaN stays NaN.
///
/// x = n ln 2 + r with |r| <= ln(2) / 2; n is added to the exponent of e^r = 1 + r + r^2 q(r),
/// where q interpolates at the Chebyshev nodes of degree 4 (relative error 1.1e-8, a sixth of a
/// unit).
LRQAT_INLINE float exp(float x) {
  constexpr float to_integer = 0x1.8p23f;  // adding it rounds; the sum's low bits are the integer
  constexpr float overflows = 0x1.62e42ep6f, vanishes = -0x1.5d589ep6f;
  // The high part of ln 2 has 15 bits: n times it is exact, with or without fused multiply-add.
  constexpr float ln2_high = 0x1.62e4p-1f, ln2_low = 0x1.7f7d1cp-20f;

  const float shifted = x * 0x1.715476p0f + to_integer;
  const float n = shifted - to_integer;
  const float r = (x - n * ln2_high) - n * ln2_low;
  float q = 0x1.6d110ap-10f;
  q = q * r + 0x1.120b6ep-7f;
  q = q * r + 0x1.55551ap-5f;
  q = q * r + 0x1.5554dcp-3f;
  q = q * r + 0x1.000000p-1f;
  const float power = 1.0f + (r + r * r * q);
  const std::uint32_t exponent = std::bit_cast<std::uint32_t>(shifted) << 23;
  std::uint32_t word = std::bit_cast<std::uint32_t>(power) + exponent;
  // Masks instead of conditional expressions: gcc would move arithmetic into the branches of the
  // latter and then not vectorise the loop.
  const std::uint32_t too_high = 0u - static_cast<std::uint32_t>(x > overflows);
  const std::uint32_t not_too_low = 0u - static_cast<std::uint32_t>(!(x < vanishes));
  const std::uint32_t not_a_number = 0u - static_cast<std::uint32_t>(x != x);
  word = (word & ~too_high & not_too_low) | (0x7F800000u & too_high);
  return std::bit_cast<float>(word | (std::bit_cast<std::uint32_t>(x) & not_a_number));
}

/// e^x in double, the precision of oracles: the standard library's.
LRQAT_INLINE double exp(double x) { return std::exp(x); }

}  // namespace lrqat::kernel

#endif  // LRQAT_KERNEL_EXP_HPP
