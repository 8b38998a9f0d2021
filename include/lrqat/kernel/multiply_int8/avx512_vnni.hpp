// SPDX-License-Identifier: MIT
// kernel/multiply_int8/avx512_vnni.hpp: products of codes with AVX512_VNNI's dot product.
#ifndef LRQAT_KERNEL_MULTIPLY_INT8_AVX512_VNNI_HPP
#define LRQAT_KERNEL_MULTIPLY_INT8_AVX512_VNNI_HPP

#include <lrqat/core/config.hpp>                    // LRQAT_UNROLL
#include <lrqat/kernel/int8_unit.hpp>               // target region
#include <lrqat/kernel/interleaved.hpp>             // InterleavedCodes
#include <lrqat/kernel/multiply_int8/operands.hpp>  // Int8Tile, Int8Kernel

#include <immintrin.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

LRQAT_AVX512_VNNI_BEGIN

namespace lrqat::kernel {

/// A line of codes becomes operands with a shift and a mask, in registers, for all tokens of the
/// tile: the activations are the unsigned factor, broadcast, the operands the signed one.
///
/// run() is one function because sums leave the registers where they are handed on by reference:
/// 5 % of the time with groups of 128, with both compilers.
template <>
struct Int8Kernel<Int8Unit::avx512_vnni> {
  template <unsigned bits, bool has_zero, std::size_t tokens, std::size_t panels, bool makes_sums>
  static void run(const Int8Tile& tile) {
    using Codes = InterleavedCodes<bits>;
    // As products sums of operands would be every 13th of a tile; bytes are added by other units.
    // With one token, which waits for memory, there is a product to spare.
    constexpr bool sums_bytes = makes_sums && tokens > 1 && blocks_in_bytes<bits> != 0;
    __m512 y[tokens][panels];
    LRQAT_UNROLL
    for (std::size_t t = 0; t < tokens; ++t) {
      LRQAT_UNROLL
      for (std::size_t v = 0; v < panels; ++v) y[t][v] = _mm512_setzero_ps();
    }
    for (std::size_t v = 0; v < panels; ++v)
      for (std::size_t t = 0; t < tile.tokens; ++t)
        __builtin_prefetch(tile.y[v] + t * tile.y_stride, 0, second_level);
    // Scales as far ahead as codes: what is asked for much earlier leaves the first-level cache.
    const std::size_t groups_ahead =
        tile.group_count < 2 ? 0 : words_ahead<tokens> / (tile.groups[0].count * Codes::words) + 1;
    const std::uint32_t* x = tile.x;
    const std::uint32_t* ones = tile.ones;
    for (std::size_t g = 0; g < tile.group_count; ++g) {
      const GroupBlocks group = tile.groups[g];
      __m512i sum[tokens][panels], operand_sum[panels];
      LRQAT_UNROLL
      for (std::size_t t = 0; t < tokens; ++t) {
        LRQAT_UNROLL
        for (std::size_t v = 0; v < panels; ++v)
          sum[t][v] = _mm512_set1_epi32(tile.start[g * tokens + t]);
      }
      LRQAT_UNROLL
      for (std::size_t v = 0; v < panels; ++v) operand_sum[v] = _mm512_setzero_si512();
      std::size_t at = group.first * Codes::words;
      for (std::size_t left = group.count; left != 0;) {
        const std::size_t count = sums_bytes ? std::min(left, blocks_in_bytes<bits>) : left;
        left -= count;
        __m512i bytes[panels];
        LRQAT_UNROLL
        for (std::size_t v = 0; v < panels; ++v) bytes[v] = _mm512_setzero_si512();
        for (std::size_t block = count; block != 0; --block, at += Codes::words) {
          if constexpr (makes_sums)
            for (std::size_t v = 0; v < panels; ++v)
              for (std::size_t line = 0; line < Codes::lines; ++line)
                ask_ahead<tokens>(tile.panel[v] + at + line * lanes);
          LRQAT_UNROLL
          for (std::size_t step = 0; step < Codes::steps; ++step) {
            __m512i factor[panels];
            LRQAT_UNROLL
            for (std::size_t v = 0; v < panels; ++v)
              factor[v] = operand<bits>(tile.panel[v] + at, step);
            if constexpr (makes_sums) {
              const __m512i one = broadcast(ones + step);
              LRQAT_UNROLL
              for (std::size_t v = 0; v < panels; ++v)
                if constexpr (sums_bytes)
                  bytes[v] = _mm512_add_epi8(bytes[v], where_one(one, factor[v]));
                else
                  operand_sum[v] = add_products(operand_sum[v], one, factor[v]);
            }
            LRQAT_UNROLL
            for (std::size_t t = 0; t < tokens; ++t) {
              const __m512i codes = broadcast(x + step * tokens + t);
              LRQAT_UNROLL
              for (std::size_t v = 0; v < panels; ++v)
                sum[t][v] = add_products(sum[t][v], codes, factor[v]);
            }
          }
          x += Codes::steps * tokens;
          ones += Codes::steps;
        }
        if constexpr (sums_bytes) {
          LRQAT_UNROLL
          for (std::size_t v = 0; v < panels; ++v)
            operand_sum[v] = add_products(operand_sum[v], bytes[v], _mm512_set1_epi8(1));
        }
      }
      LRQAT_UNROLL
      for (std::size_t v = 0; v < panels; ++v) {
        const std::size_t cell = g * lanes;
        if constexpr (makes_sums) __builtin_prefetch(tile.scale[v] + cell + groups_ahead * lanes);
        if constexpr (!makes_sums)
          operand_sum[v] = _mm512_loadu_si512(tile.sum[v] + cell);
        else if (tile.keeps_sums)
          _mm512_storeu_si512(tile.sum[v] + cell, operand_sum[v]);
        const __m512 scale = _mm512_loadu_ps(tile.scale[v] + cell);
        LRQAT_UNROLL
        for (std::size_t t = 0; t < tokens; ++t) {
          __m512i whole = _mm512_sub_epi32(
              sum[t][v], _mm512_mullo_epi32(_mm512_set1_epi32(tile.zero_x[t]), operand_sum[v]));
          if constexpr (has_zero)
            whole = _mm512_sub_epi32(
                whole, _mm512_mullo_epi32(_mm512_set1_epi32(tile.x_sum[g * tokens + t]),
                                          _mm512_loadu_si512(tile.zero[v] + cell)));
          y[t][v] = _mm512_fmadd_ps(scale, _mm512_maskz_cvtepi32_ps(every_lane, whole), y[t][v]);
        }
      }
    }
    LRQAT_UNROLL
    for (std::size_t v = 0; v < panels; ++v) {
      const auto mask = static_cast<__mmask16>((1u << tile.rows[v]) - 1u);
      LRQAT_UNROLL
      for (std::size_t t = 0; t < tokens; ++t)
        if (t < tile.tokens)
          _mm512_mask_storeu_ps(tile.y[v] + t * tile.y_stride, mask,
                                _mm512_mul_ps(_mm512_set1_ps(tile.scale_x[t]), y[t][v]));
    }
  }

  /// For a tile unit: see TiledInt8Kernel.
  template <unsigned bits>
  static void make_operands(const Int8Tile& tile, std::size_t v, std::size_t run) {
    using Codes = InterleavedCodes<bits>;
    std::uint32_t* to = tile.operands[v];
    const std::uint32_t* ones = tile.ones;
    for (std::size_t g = 0; g < tile.group_count; ++g) {
      const GroupBlocks group = tile.groups[g];
      __m512i sum = _mm512_setzero_si512();
      const std::uint32_t* block = tile.panel[v] + group.first * Codes::words;
      for (std::size_t i = 0; i < group.count; ++i, block += Codes::words) {
        for (std::size_t line = 0; line < Codes::lines; ++line)
          ask_ahead<tiled_order.tokens>(block + line * lanes);
        LRQAT_UNROLL
        for (std::size_t step = 0; step < Codes::steps; ++step, to += lanes) {
          const __m512i factor = operand<bits>(block, step);
          sum = add_products(sum, broadcast(ones + step), factor);
          _mm512_storeu_si512(to, factor);
        }
        ones += Codes::steps;
      }
      for (std::size_t step = group.count * Codes::steps; step % run != 0; ++step, ++ones) {
        _mm512_storeu_si512(to, _mm512_setzero_si512());
        to += lanes;
      }
      _mm512_storeu_si512(tile.sum[v] + g * lanes, sum);
    }
  }

 private:
  static constexpr std::size_t lanes = 16;
  // gcc 12 warns of its own header where a conversion has no mask.
  static constexpr __mmask16 every_lane = 0xFFFF;
  static constexpr int second_level = 2;  // where a prefetch ends
  /// Codes of a stream that are wanted later. A few tokens wait for the memory, and the first level
  /// waits for fewer lines at a time than it could send; many do not, and go through the second.
  template <std::size_t tokens>
  static constexpr std::size_t words_ahead = tokens <= 4 ? 1024 : 512;
  template <std::size_t tokens>
  static void ask_ahead(const std::uint32_t* line) {
    if constexpr (tokens <= 4)
      __builtin_prefetch(line + words_ahead<tokens>, 0, second_level);
    else
      __builtin_prefetch(line + words_ahead<tokens>);
  }
  using Halves [[gnu::vector_size(64)]] = std::uint16_t;

  /// The largest sum of the unsigned fields that meet in a byte of a block, and how many such fit.
  template <unsigned bits>
  static constexpr std::size_t most_of_block = ((1u << bits) - 1u) * InterleavedCodes<bits>::steps;
  template <unsigned bits>
  static constexpr std::size_t blocks_in_bytes = bits == 8 ? 0 : 255 / most_of_block<bits>;

  static __m512i broadcast(const std::uint32_t* word) {
    return _mm512_set1_epi32(static_cast<int>(*word));
  }
  static __m512i add_products(__m512i sum, __m512i codes, __m512i operand) {
    return _mm512_dpbusd_epi32(sum, codes, operand);
  }

  /// The bytes of `operand` where those of `one` are 1, else 0.
  static __m512i where_one(__m512i one, __m512i operand) {
    return _mm512_and_si512(operand, _mm512_sub_epi8(_mm512_setzero_si512(), one));
  }

  template <unsigned bits>
  static __m512i operand(const std::uint32_t* block, std::size_t step) {
    if constexpr (bits == 8) {
      return _mm512_loadu_si512(block);
    } else {
      __m512i field = _mm512_setzero_si512();
      if constexpr ((bits & 4u) != 0) field = plane<bits, 4>(block, step);
      if constexpr ((bits & 2u) != 0) field = _mm512_or_si512(field, plane<bits, 2>(block, step));
      if constexpr ((bits & 1u) != 0) field = _mm512_or_si512(field, plane<bits, 1>(block, step));
      return field;
    }
  }
  /// The bits of one plane in their places, in each byte.
  template <unsigned bits, unsigned width>
  static __m512i plane(const std::uint32_t* block, std::size_t step) {
    const auto place = InterleavedCodes<bits>::place(width, step);
    auto line = reinterpret_cast<Halves>(_mm512_loadu_si512(block + place.line * lanes));
    if (place.shift > place.low)
      line = line >> static_cast<int>(place.shift - place.low);
    else if (place.shift < place.low)
      line = line << static_cast<int>(place.low - place.shift);
    const auto mask = static_cast<char>(((1u << width) - 1u) << place.low);
    return _mm512_and_si512(reinterpret_cast<__m512i>(line), _mm512_set1_epi8(mask));
  }
};

}  // namespace lrqat::kernel

LRQAT_TARGET_END

#endif  // LRQAT_KERNEL_MULTIPLY_INT8_AVX512_VNNI_HPP
