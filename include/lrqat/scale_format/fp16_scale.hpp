// SPDX-License-Identifier: MIT
// scale_format/fp16_scale.hpp: scales that a file can hold in 16 bits.
#ifndef LRQAT_SCALE_FORMAT_FP16_SCALE_HPP
#define LRQAT_SCALE_FORMAT_FP16_SCALE_HPP

#include <lrqat/concept/grid.hpp>
#include <lrqat/concept/scale_format.hpp>
#include <lrqat/core/bf16.hpp>  // half
#include <lrqat/core/config.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

namespace lrqat {

namespace detail {

/// `value`, positive and normal, to its nearest neighbour of so many significant bits, 1 to 24,
/// ties to even.
constexpr float round_significand(float value, int significant_bits) {
  const auto word = std::bit_cast<std::uint32_t>(value);
  const auto lost = static_cast<unsigned>(24 - significant_bits);
  if (lost == 0 || word >= 0x7F800000u) return value;  // infinite or NaN
  const std::uint32_t below_half = (1u << (lost - 1)) - 1u, is_odd = (word >> lost) & 1u;
  return std::bit_cast<float>((word + below_half + is_odd) >> lost << lost);
}

/// Significant bits that a scale may have so that its product with this zero point has at most 11,
/// those of a half: all of them for 0 and powers of two, 7 for 15.
constexpr int scale_bits_beside(float zero_point) {
  auto odd = static_cast<std::uint32_t>(zero_point < 0 ? -zero_point : zero_point);
  if (odd == 0) return 11;
  odd >>= std::countr_zero(odd);
  return std::max(11 - static_cast<int>(std::bit_width(odd - 1)), 1);
}

}  // namespace detail

/// A scale is used as the nearest IEEE half, at least the smallest one, 2^-24; beyond 65504 it is
/// infinite, which merge() refuses. So a merged layer's weights are exactly those of file formats
/// with fp16 scales (GGUF's Q4_0 and Q8_0).
///
/// On grids of up to 4 bits with a zero point z, scale * z is a half as well: Q4_1 stores the
/// minimum -scale * z in place of z. A scale then has at least 7 significant bits, 11 where z is 0
/// or a power of two. Wider grids, for which no such file exists, keep all 11. An offset is a half
/// of its own, which is Q4_1 on Offset<UInt<4>>.
struct Fp16Scale {
  using policy_kind = kind::scale_format;
  constexpr explicit Fp16Scale(const QuantOptions& = {}) {}

  static constexpr float floor() { return 0x1p-24f; }
  template <class G>
  LRQAT_INLINE static constexpr float round(float scale, float zero_point) {
    if constexpr (G::has_zero_point && G::bits <= 4) {
      // Subnormal halves are the multiples of 2^-24 whatever their bits: once more to those.
      const float few = detail::round_significand(scale, detail::scale_bits_beside(zero_point));
      return static_cast<float>(half(few));
    } else {
      return static_cast<float>(half(scale));
    }
  }
  static constexpr float round_offset(float offset) { return static_cast<float>(half(offset)); }
};

}  // namespace lrqat

#endif  // LRQAT_SCALE_FORMAT_FP16_SCALE_HPP
