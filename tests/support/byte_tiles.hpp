// SPDX-License-Identifier: MIT
// tests/support/byte_tiles.hpp: the tile unit of bytes in software, by the processors' manual, and
// plain operands for it.
#ifndef LRQAT_TESTS_SUPPORT_BYTE_TILES_HPP
#define LRQAT_TESTS_SUPPORT_BYTE_TILES_HPP

#include <lrqat/kernel/multiply_int8/tiled.hpp>

#include <cstddef>
#include <cstdint>
#include <stdexcept>

namespace lrqat::test {

/// A word is four bytes; the left factor's are unsigned, the right one's signed, and sums wrap.
struct ByteTiles {
  static inline thread_local bool taken = false;

  static void begin() { taken = true; }
  static void end() { taken = false; }
  template <std::size_t halves>
  static void multiply(const std::uint32_t* left, const std::uint32_t* const (&right)[2],
                       std::size_t runs, std::int32_t* sums) {
    if (!taken) throw std::logic_error("ByteTiles: the registers are not taken");
    for (std::size_t i = 0; i < 16 * halves; ++i)
      for (std::size_t j = 0; j < 32; ++j) {
        std::uint32_t sum = 0;
        for (std::size_t run = 0; run < runs; ++run)
          for (std::size_t k = 0; k < 16; ++k)
            for (unsigned byte = 0; byte < 32; byte += 8) {
              const auto a = left[(run * 16 * halves + i) * 16 + k] >> byte & 0xFFu;
              const auto b =
                  static_cast<std::int8_t>(right[j / 16][(run * 16 + k) * 16 + j % 16] >> byte);
              sum += a * static_cast<std::uint32_t>(b);
            }
        sums[i * 32 + j] = static_cast<std::int32_t>(sum);
      }
  }
};

/// Field by field.
struct PlainOperands {
  template <unsigned bits>
  static void make_operands(const kernel::Int8Tile& tile, std::size_t v, std::size_t run) {
    using Codes = kernel::InterleavedCodes<bits>;
    std::uint32_t* to = tile.operands[v];
    const std::uint32_t* ones = tile.ones;
    for (std::size_t g = 0; g < tile.group_count; ++g) {
      const std::size_t first = tile.groups[g].first * Codes::inputs;
      const std::size_t steps = tile.groups[g].count * Codes::steps;
      for (std::size_t r = 0; r < 16; ++r) tile.sum[v][g * 16 + r] = 0;
      for (std::size_t step = 0; step < (steps + run - 1) / run * run; ++step, to += 16, ++ones)
        for (std::size_t r = 0; r < 16; ++r) {
          to[r] = 0;
          for (std::size_t j = 0; step < steps && j < 4; ++j) {
            const int operand =
                static_cast<int>(Codes::load(tile.panel[v], r, first + 4 * step + j)) -
                Codes::operand_offset;
            to[r] |= (static_cast<std::uint32_t>(operand) & 0xFFu) << 8 * j;
            if ((*ones >> 8 * j & 1u) != 0) tile.sum[v][g * 16 + r] += operand;
          }
        }
    }
  }
};

}  // namespace lrqat::test

#endif  // LRQAT_TESTS_SUPPORT_BYTE_TILES_HPP
