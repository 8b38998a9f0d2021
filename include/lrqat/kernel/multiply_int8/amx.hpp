// SPDX-License-Identifier: MIT
// kernel/multiply_int8/amx.hpp: products of codes in the tile registers of Intel AMX.
#ifndef LRQAT_KERNEL_MULTIPLY_INT8_AMX_HPP
#define LRQAT_KERNEL_MULTIPLY_INT8_AMX_HPP

#include <lrqat/kernel/isa.hpp>                        // target region
#include <lrqat/kernel/multiply_bf16/amx.hpp>          // AmxTiles
#include <lrqat/kernel/multiply_int8/avx512_vnni.hpp>  // who makes the operands
#include <lrqat/kernel/multiply_int8/operands.hpp>     // Int8Kernel
#include <lrqat/kernel/multiply_int8/tiled.hpp>        // TiledInt8Kernel

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

LRQAT_AMX_BEGIN

namespace lrqat::kernel {

/// Registers as AmxTiles has them: 0 to 3 hold the sums, 4 and 5 the activations, 6 and 7 the
/// operands of the weight.
///
/// What is above it is tested on a model of these registers; this file has been compiled, but not
/// run, by its authors: no machine with AMX was at hand.
struct AmxInt8Tiles {
  static void begin() { AmxTiles::begin(); }
  static void end() { AmxTiles::end(); }

  template <std::size_t halves>
  static void multiply(const std::uint32_t* left, const std::uint32_t* const (&right)[2],
                       std::size_t runs, std::int32_t* sums) {
    AmxTiles::zero_sums();
    for (std::size_t run = 0; run < runs; ++run, left += halves * words) {
      _tile_loadd(4, left, row_stride);
      _tile_loadd(6, right[0] + run * words, row_stride);
      _tile_dpbusd(0, 4, 6);
      _tile_loadd(7, right[1] + run * words, row_stride);
      _tile_dpbusd(1, 4, 7);
      if constexpr (halves == 2) {
        _tile_loadd(5, left + words, row_stride);
        _tile_dpbusd(2, 5, 6);
        _tile_dpbusd(3, 5, 7);
      }
    }
    _tile_stored(0, sums, sums_stride);
    _tile_stored(1, sums + 16, sums_stride);
    if constexpr (halves == 2) {
      _tile_stored(2, sums + 16 * 32, sums_stride);
      _tile_stored(3, sums + 16 * 32 + 16, sums_stride);
    }
  }

 private:
  static constexpr std::size_t words = 256, row_stride = 64, sums_stride = 32 * sizeof(float);
};

template <>
struct Int8Kernel<Int8Unit::amx>
    : TiledInt8Kernel<AmxInt8Tiles, Int8Kernel<Int8Unit::avx512_vnni>> {};

}  // namespace lrqat::kernel

LRQAT_TARGET_END

#endif  // LRQAT_KERNEL_MULTIPLY_INT8_AMX_HPP
