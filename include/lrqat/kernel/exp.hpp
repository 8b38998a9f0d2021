// SPDX-License-Identifier: MIT
// kernel/exp.hpp: e^x as plain arithmetic, so that loops over it become vector instructions.
#ifndef LRQAT_KERNEL_EXP_HPP
#define LRQAT_KERNEL_EXP_HPP

#include <lrqat/core/config.hpp>  // LRQAT_INLINE

#include <bit>
#include <cstdint>

namespace lrqat::kernel {

namespace detail {

/// The bits of e^x where it is neither too large nor too small, something else elsewhere.
LRQAT_INLINE std::uint32_t exp_word(float x) {
  constexpr float to_integer = 0x1.8p23f;  // adding it rounds; the sum's low bits are the integer
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
  return std::bit_cast<std::uint32_t>(power) + exponent;
}

}  // namespace detail

/// e^x within 2 units in the last place. From ln(2^128) on it is infinite, below ln(2^-126) it is 0
/// (no subnormal results); NaN stays NaN.
///
/// x = n ln 2 + r with |r| <= ln(2) / 2; n is added to the exponent of e^r = 1 + r + r^2 q(r),
/// where q interpolates at the Chebyshev nodes of degree 4 (relative error 1.1e-8, a sixth of a
/// unit).
LRQAT_INLINE float exp(float x) {
  constexpr float overflows = 0x1.62e42ep6f, vanishes = -0x1.5d589ep6f;
  std::uint32_t word = detail::exp_word(x);
  // Masks instead of conditional expressions: gcc would move arithmetic into the branches of the
  // latter and then not vectorise the loop.
  const std::uint32_t too_high = 0u - static_cast<std::uint32_t>(x > overflows);
  const std::uint32_t not_too_low = 0u - static_cast<std::uint32_t>(!(x < vanishes));
  const std::uint32_t not_a_number = 0u - static_cast<std::uint32_t>(x != x);
  word = (word & ~too_high & not_too_low) | (0x7F800000u & too_high);
  return std::bit_cast<float>(word | (std::bit_cast<std::uint32_t>(x) & not_a_number));
}

/// The bits of exp, cheaper, for x up to 88: no check for overflow. What a softmax needs.
LRQAT_INLINE float bounded_exp(float x) {
  constexpr float vanishes = -0x1.5d589ep6f;
  const std::uint32_t not_too_low = 0u - static_cast<std::uint32_t>(!(x < vanishes));
  const std::uint32_t not_a_number = 0u - static_cast<std::uint32_t>(x != x);
  return std::bit_cast<float>((detail::exp_word(x) & not_too_low) |
                              (std::bit_cast<std::uint32_t>(x) & not_a_number));
}

/// The same in double: infinite above 709.78, 0 below -708.40, within 2 units between. The power
/// series to degree 13 leaves out less than 2^-57 of e^r.
LRQAT_INLINE double exp(double x) {
  constexpr double to_integer = 0x1.8p52;
  constexpr double overflows = 0x1.62e42fefa39eep9, vanishes = -0x1.6232bdd7abcd2p9;
  // 32 bits of ln 2, so that n times it is exact.
  constexpr double ln2_high = 0x1.62e42feep-1, ln2_low = 0x1.a39ef35793c76p-33;

  const double shifted = x * 0x1.71547652b82fep0 + to_integer;
  const double n = shifted - to_integer;
  const double r = (x - n * ln2_high) - n * ln2_low;
  double q = 1.0 / 6227020800.0;
  q = q * r + 1.0 / 479001600.0;
  q = q * r + 1.0 / 39916800.0;
  q = q * r + 1.0 / 3628800.0;
  q = q * r + 1.0 / 362880.0;
  q = q * r + 1.0 / 40320.0;
  q = q * r + 1.0 / 5040.0;
  q = q * r + 1.0 / 720.0;
  q = q * r + 1.0 / 120.0;
  q = q * r + 1.0 / 24.0;
  q = q * r + 1.0 / 6.0;
  q = q * r + 0.5;
  const double power = 1.0 + (r + r * r * q);
  const std::uint64_t exponent = std::bit_cast<std::uint64_t>(shifted) << 52;
  std::uint64_t word = std::bit_cast<std::uint64_t>(power) + exponent;
  const std::uint64_t too_high = 0u - static_cast<std::uint64_t>(x > overflows);
  const std::uint64_t not_too_low = 0u - static_cast<std::uint64_t>(!(x < vanishes));
  const std::uint64_t not_a_number = 0u - static_cast<std::uint64_t>(x != x);
  word = (word & ~too_high & not_too_low) | (0x7FF0000000000000u & too_high);
  return std::bit_cast<double>(word | (std::bit_cast<std::uint64_t>(x) & not_a_number));
}
LRQAT_INLINE double bounded_exp(double x) { return exp(x); }

}  // namespace lrqat::kernel

#endif  // LRQAT_KERNEL_EXP_HPP
