// SPDX-License-Identifier: MIT
// kernel/multiply_codes/avx512.hpp: products of a few tokens with codes in AVX-512.
#ifndef LRQAT_KERNEL_MULTIPLY_CODES_AVX512_HPP
#define LRQAT_KERNEL_MULTIPLY_CODES_AVX512_HPP

#include <lrqat/core/config.hpp>                     // LRQAT_UNROLL
#include <lrqat/kernel/interleaved.hpp>              // InterleavedCodes
#include <lrqat/kernel/isa.hpp>                      // Isa, target region
#include <lrqat/kernel/multiply_codes/operands.hpp>  // CodesTile, CodesKernel

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

LRQAT_AVX512_BEGIN

namespace lrqat::kernel {

/// 16 rows at a time. Levels of up to 4 bits are looked up in a register, by the lowest four bits
/// of a shifted word, whatever stands above them; wider ones are converted.
template <>
struct CodesKernel<Isa::avx512> {
  template <unsigned bits, bool has_zero, std::size_t tokens, std::size_t panels>
  static void run(const CodesTile& tile) {
    using Codes = InterleavedCodes<bits>;
    __m512 sum[tokens][panels];
    LRQAT_UNROLL
    for (std::size_t t = 0; t < tokens; ++t) {
      LRQAT_UNROLL
      for (std::size_t v = 0; v < panels; ++v) sum[t][v] = _mm512_setzero_ps();
    }
    const __m512 table = bits <= 4 ? _mm512_loadu_ps(tile.level) : _mm512_set1_ps(tile.offset);
    for (std::size_t first = 0, g = 0; first < tile.in; first += tile.group_columns, ++g) {
      const std::size_t left = tile.in - first;
      const std::size_t count = left < tile.group_columns ? left : tile.group_columns;
      __m512 scale[panels];
      LRQAT_UNROLL
      for (std::size_t v = 0; v < panels; ++v)
        scale[v] = _mm512_loadu_ps(tile.scale[v] + g * lanes);
      std::size_t input = first;
      for (; input + Codes::inputs <= first + count; input += Codes::inputs) {
        const std::size_t at = input / Codes::inputs * Codes::words;
        for (std::size_t v = 0; v < panels; ++v)
          for (std::size_t line = 0; line < Codes::lines; ++line)
            __builtin_prefetch(tile.panel[v] + at + line * lanes + words_ahead);
        LRQAT_UNROLL
        for (std::size_t step = 0; step < Codes::steps; ++step) {
          LRQAT_UNROLL
          for (std::size_t j = 0; j < 4; ++j)
            add_input<bits, has_zero, tokens, panels>(tile, g, input, step, j, table, scale, sum);
        }
      }
      for (; input < first + count; ++input)  // a last block that is not whole
        add_input<bits, has_zero, tokens, panels>(tile, g, input / Codes::inputs * Codes::inputs,
                                                  input % Codes::inputs / 4, input % 4, table,
                                                  scale, sum);
    }
    for (std::size_t v = 0; v < panels; ++v) {
      const auto mask = static_cast<__mmask16>((1u << tile.rows[v]) - 1u);
      for (std::size_t t = 0; t < tile.tokens; ++t)
        _mm512_mask_storeu_ps(tile.y[v] + t * tile.y_stride, mask, sum[t][v]);
    }
  }

 private:
  static constexpr std::size_t lanes = 16, words_ahead = 512;
  // gcc 12 warns of its own header where a conversion has no mask.
  static constexpr __mmask16 every_lane = 0xFFFF;
  using Words [[gnu::vector_size(64)]] = std::uint32_t;
  using Integers [[gnu::vector_size(64)]] = std::int32_t;

  /// sum += x scale level, one input of all rows and tokens.
  template <unsigned bits, bool has_zero, std::size_t tokens, std::size_t panels>
  [[gnu::always_inline]] static void add_input(const CodesTile& tile, std::size_t group,
                                               std::size_t block, std::size_t step, std::size_t j,
                                               __m512 table, const __m512 (&scale)[panels],
                                               __m512 (&sum)[tokens][panels]) {
    using Codes = InterleavedCodes<bits>;
    const std::size_t input = block + 4 * step + j;
    __m512 x[tokens];
    LRQAT_UNROLL
    for (std::size_t t = 0; t < tokens; ++t) x[t] = _mm512_set1_ps(tile.x[t][input]);
    LRQAT_UNROLL
    for (std::size_t v = 0; v < panels; ++v) {
      const std::uint32_t* const words = tile.panel[v] + block / Codes::inputs * Codes::words;
      __m512 value = level<bits, has_zero>(words, step, static_cast<int>(8 * j), table);
      if constexpr (has_zero)
        value = _mm512_sub_ps(value, _mm512_loadu_ps(tile.zero[v] + group * lanes));
      const __m512 weight = _mm512_mul_ps(scale[v], value);
      LRQAT_UNROLL
      for (std::size_t t = 0; t < tokens; ++t) sum[t][v] = _mm512_fmadd_ps(x[t], weight, sum[t][v]);
    }
  }

  template <unsigned bits, bool has_zero>
  [[gnu::always_inline]] static __m512 level(const std::uint32_t* block, std::size_t step, int byte,
                                             __m512 table) {
    if constexpr (bits == 8) {
      const auto line = reinterpret_cast<Words>(_mm512_loadu_si512(block)) << (24 - byte);
      const auto operand = reinterpret_cast<Integers>(line) >> 24;
      return _mm512_add_ps(converted(reinterpret_cast<__m512i>(operand)), table);
    } else if constexpr (bits <= 4) {
      Words field = {};
      if constexpr ((bits & 4u) != 0) field = plane<bits, 4>(block, step, byte);
      if constexpr ((bits & 2u) != 0) field = plane<bits, 2>(block, step, byte);
      if constexpr (bits == 1) field = plane<bits, 1>(block, step, byte);
      if constexpr (bits == 3) field = (field & 3u) | (plane<bits, 1>(block, step, byte) & 4u);
      return _mm512_maskz_permutexvar_ps(every_lane, reinterpret_cast<__m512i>(field), table);
    } else {
      Words field = plane<bits, 4>(block, step, byte) & 15u;
      if constexpr ((bits & 2u) != 0) field |= plane<bits, 2>(block, step, byte) & 48u;
      if constexpr ((bits & 1u) != 0)
        field |= plane<bits, 1>(block, step, byte) & (1u << (bits - 1));
      return _mm512_add_ps(converted(reinterpret_cast<__m512i>(field)), table);
    }
  }
  /// The bits of one plane in their places, with others beside them.
  template <unsigned bits, unsigned width>
  [[gnu::always_inline]] static Words plane(const std::uint32_t* block, std::size_t step,
                                            int byte) {
    const auto place = InterleavedCodes<bits>::place(width, step);
    const auto line = reinterpret_cast<Words>(_mm512_loadu_si512(block + place.line * lanes));
    const int shift = byte + static_cast<int>(place.shift) - static_cast<int>(place.low);
    return shift >= 0 ? line >> shift : line << -shift;
  }
  [[gnu::always_inline]] static __m512 converted(__m512i integers) {
    return _mm512_maskz_cvtepi32_ps(every_lane, integers);
  }
};

}  // namespace lrqat::kernel

LRQAT_TARGET_END

#endif  // LRQAT_KERNEL_MULTIPLY_CODES_AVX512_HPP
