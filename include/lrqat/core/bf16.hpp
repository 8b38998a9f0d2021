// SPDX-License-Identifier: MIT
// core/bf16.hpp: bfloat16 and IEEE half as storage types; all arithmetic happens in float.
#ifndef LRQAT_CORE_BF16_HPP
#define LRQAT_CORE_BF16_HPP

#include <bit>
#include <cstdint>

namespace lrqat {

/// The upper half of a float32. Conversion rounds to nearest, ties to even; NaN stays NaN.
struct bf16 {
  std::uint16_t bits = 0;

  constexpr bf16() = default;
  constexpr explicit bf16(float value) {
    const auto word = std::bit_cast<std::uint32_t>(value);
    const bool is_nan = (word & 0x7FFFFFFFu) > 0x7F800000u;
    const std::uint32_t rounded = word + 0x7FFFu + ((word >> 16) & 1u);
    bits = static_cast<std::uint16_t>(is_nan ? (word >> 16) | 0x40u : rounded >> 16);
  }
  constexpr explicit operator float() const {
    return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
  }
  bool operator==(const bf16&) const = default;
};

/// IEEE binary16, read and written by file formats. Conversion rounds to nearest, ties to even;
/// values beyond 65504 become infinite.
struct half {
  std::uint16_t bits = 0;

  constexpr half() = default;
  constexpr explicit half(float value) {
    const auto word = std::bit_cast<std::uint32_t>(value);
    const std::uint32_t sign = (word >> 16) & 0x8000u, magnitude = word & 0x7FFFFFFFu;
    std::uint32_t result = 0;
    if (magnitude > 0x7F800000u) {
      result = 0x7E00u;  // NaN
    } else if (magnitude >= 0x477FF000u) {
      result = 0x7C00u;  // rounds to 2^16 or more, or infinite
    } else if (magnitude >= 0x38800000u) {  // normal: rebias the exponent, round 13 bits away
      result = (magnitude - 0x38000000u + 0xFFFu + ((magnitude >> 13) & 1u)) >> 13;
    } else if (magnitude >= 0x33000000u) {  // subnormal: align the significand to 2^-24
      const std::uint32_t shift = 126u - (magnitude >> 23);
      const std::uint32_t significand = (magnitude & 0x7FFFFFu) | 0x800000u;
      const std::uint32_t kept = significand >> shift, lost = significand & ((1u << shift) - 1u);
      const std::uint32_t middle = 1u << (shift - 1u);
      result = kept + (lost > middle || (lost == middle && (kept & 1u)) ? 1u : 0u);
    }
    bits = static_cast<std::uint16_t>(sign | result);
  }
  constexpr explicit operator float() const {
    const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x8000u) << 16;
    const std::uint32_t exponent = (bits >> 10) & 0x1Fu, fraction = bits & 0x3FFu;
    if (exponent == 0) {  // fraction * 2^-24, exact in float
      const float magnitude = static_cast<float>(fraction) * 0x1p-24f;
      return sign ? -magnitude : magnitude;
    }
    const std::uint32_t rebiased = exponent == 31 ? 255u : exponent + 112u;
    return std::bit_cast<float>(sign | (rebiased << 23) | (fraction << 13));
  }
  bool operator==(const half&) const = default;
};

}  // namespace lrqat

#endif  // LRQAT_CORE_BF16_HPP
