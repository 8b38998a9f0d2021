// SPDX-License-Identifier: MIT
// storage/fixed_point.hpp: the base as Qb.(8-b), one byte a weight; LR-QAT's published choice.
#ifndef LRQAT_STORAGE_FIXED_POINT_HPP
#define LRQAT_STORAGE_FIXED_POINT_HPP

#include <lrqat/concept/storage.hpp>
#include <lrqat/core/config.hpp>  // LRQAT_INLINE
#include <lrqat/core/expects.hpp>
#include <lrqat/core/numeric.hpp>       // round_half_even
#include <lrqat/kernel/vectorised.hpp>  // for_each_lane

#include <cstdint>
#include <type_traits>

namespace lrqat {

/// byte = round(2^(8-b) * clip(t)): b integer bits and 8-b fraction bits (Q4.4, Q3.5, Q2.6). The
/// value is clipped before it is scaled, so that the highest byte is p 2^(8-b) (112 at b = 4).
/// Grids with a zero point z keep t + z in an unsigned byte. Worst error inside the grid: 2^-(9-b).
struct FixedPoint {
  using policy_kind = kind::storage;

  template <Grid G>
  struct bound_to {
    static constexpr bool keeps_reals = false;
    static constexpr int fraction_bits = 8 - G::bits;
    using byte_type = std::conditional_t<(G::code_min < 0), std::int8_t, std::uint8_t>;
    static constexpr std::size_t bytes_per_row(std::size_t in) { return in; }

    /// @throws Error when a level of the grid does not fit: levels must lie in code_min..code_max
    static void encode(std::span<const float> values, float zero_point, std::byte* row,
                       std::size_t first) {
      constexpr float unit = static_cast<float>(1 << fraction_bits);
      for (std::size_t j = 0; j < values.size(); ++j) {
        const float code = G::clip(values[j], zero_point) + zero_point;
        expects(code >= static_cast<float>(G::code_min) && code <= static_cast<float>(G::code_max),
                "FixedPoint: ", code, " is outside the codes of the grid, ", G::code_min, " .. ",
                G::code_max);
        row[first + j] =
            static_cast<std::byte>(static_cast<byte_type>(round_half_even(code * unit)));
      }
    }
    LRQAT_INLINE static void decode(const std::byte* row, std::size_t first, float zero_point,
                                    std::span<float> values) {
      constexpr float step = 1.0f / static_cast<float>(1 << fraction_bits);
      const std::byte* bytes = row + first;
      kernel::for_each_lane<64>(values.size(), [=, to = values.data()](std::size_t j) {
        to[j] = static_cast<float>(static_cast<byte_type>(bytes[j])) * step - zero_point;
      });
    }
  };
};

}  // namespace lrqat

#endif  // LRQAT_STORAGE_FIXED_POINT_HPP
