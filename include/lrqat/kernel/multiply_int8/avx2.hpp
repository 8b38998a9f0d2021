// SPDX-License-Identifier: MIT
// kernel/multiply_int8/avx2.hpp: products of codes with AVX2's multiply-adds of 16 bits.
#ifndef LRQAT_KERNEL_MULTIPLY_INT8_AVX2_HPP
#define LRQAT_KERNEL_MULTIPLY_INT8_AVX2_HPP

#include <lrqat/core/config.hpp>                    // LRQAT_UNROLL
#include <lrqat/kernel/interleaved.hpp>             // InterleavedCodes
#include <lrqat/kernel/isa.hpp>                     // target region
#include <lrqat/kernel/multiply_int8/operands.hpp>  // Int8Tile, Int8Kernel

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

LRQAT_AVX2_BEGIN

namespace lrqat::kernel {

/// A panel is two halves of 8 rows; up to four tokens are multiplied at a time. Operands of up to 6
/// bits go through vpmaddubsw, whose sum of two products saturates at 32767: 2 * 255 * 63 stays
/// below. Wider ones are taken apart into even and odd inputs of 16 bits each.
template <>
struct Int8Kernel<Int8Unit::avx2> {
  template <unsigned bits, bool has_zero, std::size_t tokens, std::size_t panels, bool makes_sums>
  static void run(const Int8Tile& tile) {
    constexpr std::size_t at_once = tokens < 4 ? tokens : 4;
    for (std::size_t v = 0; v < panels; ++v) {
      if constexpr (makes_sums) sum_panel<bits>(tile, v);
      for (std::size_t t = 0; t < tile.tokens; t += at_once)
        multiply_panel<bits, has_zero, at_once>(tile, v, t, tokens);
    }
  }

 private:
  static constexpr std::size_t lanes = 16, half_lanes = 8;

  template <unsigned bits, bool has_zero, std::size_t tokens>
  static void multiply_panel(const Int8Tile& tile, std::size_t v, std::size_t first_token,
                             std::size_t x_step) {
    alignas(32) float y[tokens][lanes] = {};
    const std::uint32_t* x = tile.x + first_token;
    for (std::size_t g = 0; g < tile.group_count; ++g) {
      __m256i sum[tokens][2];
      const std::size_t token_cell = g * x_step + first_token;
      LRQAT_UNROLL
      for (std::size_t t = 0; t < tokens; ++t)
        sum[t][0] = sum[t][1] = _mm256_set1_epi32(tile.start[token_cell + t]);
      x = add_group<bits, tokens>(tile.panel[v], tile.groups[g], x, x_step, sum);
      LRQAT_UNROLL
      for (std::size_t half = 0; half < 2; ++half) {
        const std::size_t cell = g * lanes + half * half_lanes;
        const __m256i operand_sum = load(tile.sum[v] + cell);
        const __m256 scale = _mm256_loadu_ps(tile.scale[v] + cell);
        LRQAT_UNROLL
        for (std::size_t t = 0; t < tokens; ++t) {
          __m256i whole = _mm256_sub_epi32(
              sum[t][half],
              _mm256_mullo_epi32(_mm256_set1_epi32(tile.zero_x[first_token + t]), operand_sum));
          if constexpr (has_zero)
            whole = _mm256_sub_epi32(
                whole, _mm256_mullo_epi32(_mm256_set1_epi32(tile.x_sum[token_cell + t]),
                                          load(tile.zero[v] + cell)));
          float* const to = y[t] + half * half_lanes;
          _mm256_store_ps(to,
                          _mm256_fmadd_ps(scale, _mm256_cvtepi32_ps(whole), _mm256_load_ps(to)));
        }
      }
    }
    const std::size_t left = tile.tokens - first_token;
    for (std::size_t t = 0; t < (left < tokens ? left : tokens); ++t) {
      const float scale = tile.scale_x[first_token + t];
      float* const to = tile.y[v] + (first_token + t) * tile.y_stride;
      for (std::size_t r = 0; r < tile.rows[v]; ++r) to[r] = scale * y[t][r];
    }
  }

  template <unsigned bits>
  static void sum_panel(const Int8Tile& tile, std::size_t v) {
    const std::uint32_t* ones = tile.ones;
    for (std::size_t g = 0; g < tile.group_count; ++g) {
      __m256i sum[1][2] = {{_mm256_setzero_si256(), _mm256_setzero_si256()}};
      ones = add_group<bits, 1>(tile.panel[v], tile.groups[g], ones, 1, sum);
      store(tile.sum[v] + g * lanes, sum[0][0]);
      store(tile.sum[v] + g * lanes + half_lanes, sum[0][1]);
    }
  }

  /// Returns where the codes of the next group are.
  template <unsigned bits, std::size_t tokens>
  static const std::uint32_t* add_group(const std::uint32_t* panel, GroupBlocks group,
                                        const std::uint32_t* x, std::size_t x_step,
                                        __m256i (&sum)[tokens][2]) {
    using Codes = InterleavedCodes<bits>;
    const std::uint32_t* block = panel + group.first * Codes::words;
    for (std::size_t i = 0; i < group.count; ++i, block += Codes::words) {
      LRQAT_UNROLL
      for (std::size_t step = 0; step < Codes::steps; ++step, x += x_step) {
        const __m256i low = operand<bits>(block, step),
                      high = operand<bits>(block + half_lanes, step);
        LRQAT_UNROLL
        for (std::size_t t = 0; t < tokens; ++t) {
          const __m256i codes = _mm256_set1_epi32(static_cast<int>(x[t]));
          sum[t][0] = _mm256_add_epi32(sum[t][0], products<bits>(codes, low));
          sum[t][1] = _mm256_add_epi32(sum[t][1], products<bits>(codes, high));
        }
      }
    }
    return x;
  }

  template <unsigned bits>
  static __m256i products(__m256i codes, __m256i operand) {
    if constexpr (bits <= 6) {
      return _mm256_madd_epi16(_mm256_maddubs_epi16(codes, operand), _mm256_set1_epi16(1));
    } else {
      const __m256i even = _mm256_madd_epi16(_mm256_and_si256(codes, _mm256_set1_epi16(0xFF)),
                                             _mm256_srai_epi16(_mm256_slli_epi16(operand, 8), 8));
      const __m256i odd =
          _mm256_madd_epi16(_mm256_srli_epi16(codes, 8), _mm256_srai_epi16(operand, 8));
      return _mm256_add_epi32(even, odd);
    }
  }

  template <unsigned bits>
  static __m256i operand(const std::uint32_t* block, std::size_t step) {
    if constexpr (bits == 8) {
      return load(block);
    } else {
      __m256i field = _mm256_setzero_si256();
      if constexpr ((bits & 4u) != 0) field = plane<bits, 4>(block, step);
      if constexpr ((bits & 2u) != 0) field = _mm256_or_si256(field, plane<bits, 2>(block, step));
      if constexpr ((bits & 1u) != 0) field = _mm256_or_si256(field, plane<bits, 1>(block, step));
      return field;
    }
  }
  template <unsigned bits, unsigned width>
  static __m256i plane(const std::uint32_t* block, std::size_t step) {
    const auto place = InterleavedCodes<bits>::place(width, step);
    __m256i line = load(block + place.line * lanes);
    if (place.shift > place.low)
      line = _mm256_srl_epi16(line, _mm_cvtsi32_si128(static_cast<int>(place.shift - place.low)));
    else
      line = _mm256_sll_epi16(line, _mm_cvtsi32_si128(static_cast<int>(place.low - place.shift)));
    const auto mask = static_cast<char>(((1u << width) - 1u) << place.low);
    return _mm256_and_si256(line, _mm256_set1_epi8(mask));
  }

  template <class Word>
  static __m256i load(const Word* from) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
  }
  static void store(std::int32_t* to, __m256i value) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), value);
  }
};

}  // namespace lrqat::kernel

LRQAT_TARGET_END

#endif  // LRQAT_KERNEL_MULTIPLY_INT8_AVX2_HPP
