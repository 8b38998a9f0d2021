// SPDX-License-Identifier: MIT
// kernel/multiply_bf16/amx.hpp: the tile registers of Intel AMX.
#ifndef LRQAT_KERNEL_MULTIPLY_BF16_AMX_HPP
#define LRQAT_KERNEL_MULTIPLY_BF16_AMX_HPP

#include <lrqat/kernel/bf16_unit.hpp>               // target region
#include <lrqat/kernel/multiply_bf16/operands.hpp>  // Bf16Pair
#include <lrqat/kernel/multiply_bf16/tiled.hpp>     // TileShape

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

LRQAT_AMX_BEGIN

namespace lrqat::kernel {

/// Registers 0 to 3 hold the sums, 4 and 5 the left factor, 6 and 7 the right one.
///
/// The driver above it is tested on a model of these registers; this file has been compiled, but
/// not run, by its authors: no machine with AMX was at hand.
struct AmxTiles {
  static void begin() {
    struct alignas(64) {
      std::uint8_t palette = 1, start_row = 0, reserved[14] = {};
      std::uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
      std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
    } configuration;
    _tile_loadconfig(&configuration);
  }
  static void end() { _tile_release(); }

  static void zero_sums() {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
  }
  static void load_sums(const float* from) {
    _tile_loadd(0, from, sums_stride);
    _tile_loadd(1, from + 16, sums_stride);
    _tile_loadd(2, from + 16 * 32, sums_stride);
    _tile_loadd(3, from + 16 * 32 + 16, sums_stride);
  }
  static void store_sums(float* to) {
    _tile_stored(0, to, sums_stride);
    _tile_stored(1, to + 16, sums_stride);
    _tile_stored(2, to + 16 * 32, sums_stride);
    _tile_stored(3, to + 16 * 32 + 16, sums_stride);
  }
  static void step(const Bf16Pair* left, const Bf16Pair* right) {
    _tile_loadd(4, left, row_stride);
    _tile_loadd(6, right, row_stride);
    _tile_dpbf16ps(0, 4, 6);
    _tile_loadd(7, right + TileShape::words, row_stride);
    _tile_dpbf16ps(1, 4, 7);
    _tile_loadd(5, left + TileShape::words, row_stride);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }

 private:
  static constexpr std::size_t row_stride = 64, sums_stride = 32 * sizeof(float);
};

}  // namespace lrqat::kernel

LRQAT_TARGET_END

#endif  // LRQAT_KERNEL_MULTIPLY_BF16_AMX_HPP
