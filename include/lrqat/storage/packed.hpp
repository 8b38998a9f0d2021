// SPDX-License-Identifier: MIT
// storage/packed.hpp: the base, or a merged layer, as b-bit codes without gaps.
#ifndef LRQAT_STORAGE_PACKED_HPP
#define LRQAT_STORAGE_PACKED_HPP

#include <lrqat/concept/storage.hpp>
#include <lrqat/core/config.hpp>

#include <bit>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace lrqat {

namespace detail {

constexpr std::size_t packed_row_bytes(std::size_t fields, unsigned bits) {
  return (fields * bits + 7) / 8;
}
/// Field j of a row of fields of 1 to 8 bits without gaps.
LRQAT_INLINE constexpr unsigned load_field(const std::byte* row, std::size_t j, unsigned bits) {
  const std::size_t bit = j * bits, byte = bit / 8;
  const auto shift = static_cast<unsigned>(bit % 8);
  unsigned word = std::to_integer<unsigned>(row[byte]);
  if (8 % bits != 0 && shift + bits > 8) word |= std::to_integer<unsigned>(row[byte + 1]) << 8;
  return (word >> shift) & ((1u << bits) - 1u);
}
LRQAT_INLINE constexpr void store_field(std::byte* row, std::size_t j, unsigned bits,
                                        unsigned value) {
  const std::size_t bit = j * bits, byte = bit / 8;
  const auto shift = static_cast<unsigned>(bit % 8);
  const unsigned mask = (1u << bits) - 1u, field = (value & mask) << shift, hole = mask << shift;
  const auto put = [](std::byte& target, unsigned clear, unsigned set) {
    target = (target & ~static_cast<std::byte>(clear)) | static_cast<std::byte>(set);
  };
  put(row[byte], hole & 0xFFu, field & 0xFFu);
  if (8 % bits != 0 && shift + bits > 8) put(row[byte + 1], hole >> 8, field >> 8);
}

}  // namespace detail

/// Codes of b bits one after the other, the first in the lowest bits (LR-QAT's INT-b): two int4
/// or four int2 a byte, eight int3 in three bytes. Signed codes are in two's complement. A row
/// starts on a byte; what is left of its last byte is 0.
struct Packed {
  using policy_kind = kind::storage;

  template <Grid G>
  struct bound_to {
    static constexpr bool keeps_reals = false;
    static constexpr unsigned bits = static_cast<unsigned>(G::bits), mask = (1u << bits) - 1u;
    static constexpr std::size_t bytes_per_row(std::size_t in) {
      return detail::packed_row_bytes(in, bits);
    }

    static constexpr int load(const std::byte* row, std::size_t j) {
      return code_of(detail::load_field(row, j, bits));
    }
    static constexpr void store(std::byte* row, std::size_t j, int code) {
      detail::store_field(row, j, bits, static_cast<unsigned>(code));
    }

    static void encode(std::span<const float> values, float zero_point, std::byte* row,
                       std::size_t first) {
      for (std::size_t j = 0; j < values.size(); ++j)
        store(row, first + j, G::code(G::clip(G::round(values[j]), zero_point), zero_point));
    }
    LRQAT_INLINE static void decode(const std::byte* row, std::size_t first, float zero_point,
                                    std::span<float> values) {
      const std::size_t count = values.size();
      std::size_t j = 0;
      for (; j < count && (first + j) % 8 != 0; ++j)
        values[j] = G::level(load(row, first + j), zero_point);
      for (; j + 16 <= count; j += 16)
        decode_sixteen(row + (first + j) / 8 * bits, zero_point, values.data() + j);
      for (; j < count; ++j) values[j] = G::level(load(row, first + j), zero_point);
    }

   private:
    using word_type = std::conditional_t<(bits > 4), std::uint64_t, std::uint32_t>;

    /// Eight codes fill `bits` bytes exactly: words that shifts by constants take apart.
    LRQAT_INLINE static void decode_sixteen(const std::byte* from, float zero_point, float* to) {
      const word_type first = eight_codes(from), second = eight_codes(from + bits);
      LRQAT_INDEPENDENT
      for (unsigned lane = 0; lane < 16; ++lane) {
        const word_type word = lane < 8 ? first : second;
        to[lane] =
            G::level(code_of(static_cast<unsigned>(word >> (lane % 8 * bits)) & mask), zero_point);
      }
    }
    LRQAT_INLINE static word_type eight_codes(const std::byte* from) {
      word_type word = 0;
      if constexpr (std::endian::native == std::endian::little && std::has_single_bit(bits)) {
        std::memcpy(&word, from, bits);
      } else {
        LRQAT_UNROLL
        for (unsigned byte = 0; byte < bits; ++byte)
          word |= static_cast<word_type>(from[byte]) << (8 * byte);
      }
      return word;
    }
    /// From the b bits of a code to its value.
    LRQAT_INLINE static constexpr int code_of(unsigned field) {
      constexpr unsigned sign = G::code_min < 0 ? 1u << (bits - 1) : 0u;
      return static_cast<int>(field ^ sign) - static_cast<int>(sign);
    }
  };
};

}  // namespace lrqat

#endif  // LRQAT_STORAGE_PACKED_HPP
