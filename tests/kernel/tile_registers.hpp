// SPDX-License-Identifier: MIT
// tests/kernel/tile_registers.hpp: a tile unit in software, by the processors' manual.
#ifndef LRQAT_TESTS_KERNEL_TILE_REGISTERS_HPP
#define LRQAT_TESTS_KERNEL_TILE_REGISTERS_HPP

#include <lrqat/core/bf16.hpp>
#include <lrqat/kernel/multiply_bf16/tiled.hpp>

#include <algorithm>
#include <cmath>

namespace lrqat::test {

/// Four tiles of sums; the dot product of pairs adds the first product of a pair, then the second.
struct TileRegisters {
  static inline thread_local float sums[2][2][16][16];
  static inline thread_local bool taken = false;

  static void begin() { taken = true; }
  static void end() { taken = false; }
  static void zero_sums() { std::fill_n(&sums[0][0][0][0], 4 * 256, 0.0f); }
  static void load_sums(const float* from) {
    for (std::size_t i = 0; i < 32; ++i)
      for (std::size_t j = 0; j < 32; ++j) sums[i / 16][j / 16][i % 16][j % 16] = from[i * 32 + j];
  }
  static void store_sums(float* to) {
    for (std::size_t i = 0; i < 32; ++i)
      for (std::size_t j = 0; j < 32; ++j) to[i * 32 + j] = sums[i / 16][j / 16][i % 16][j % 16];
  }
  static void step(const kernel::Bf16Pair* left, const kernel::Bf16Pair* right) {
    for (std::size_t i = 0; i < 32; ++i)
      for (std::size_t j = 0; j < 32; ++j)
        for (std::size_t p = 0; p < 16; ++p) {
          const kernel::Bf16Pair a = left[i * 16 + p], b = right[j / 16 * 256 + p * 16 + j % 16];
          float& sum = sums[i / 16][j / 16][i % 16][j % 16];
          for (const unsigned shift : {0u, 16u})
            sum = std::fma(half(a, shift), half(b, shift), sum);
        }
  }

 private:
  static float half(kernel::Bf16Pair pair, unsigned shift) {
    bf16 value;
    value.bits = static_cast<std::uint16_t>(pair >> shift);
    return static_cast<float>(value);
  }
};

}  // namespace lrqat::test

#endif  // LRQAT_TESTS_KERNEL_TILE_REGISTERS_HPP
