// SPDX-License-Identifier: MIT
// kernel/multiply/avx512.hpp: register tiles of the product in AVX-512.
#ifndef LRQAT_KERNEL_MULTIPLY_AVX512_HPP
#define LRQAT_KERNEL_MULTIPLY_AVX512_HPP

#include <lrqat/core/config.hpp>              // LRQAT_UNROLL
#include <lrqat/kernel/isa.hpp>               // Isa, target regions
#include <lrqat/kernel/multiply/blocked.hpp>  // RegisterTile, TileOperands

#include <immintrin.h>

#include <cstddef>
#include <utility>

LRQAT_AVX512_BEGIN

namespace lrqat::kernel {

/// Of 32 registers, 14 x 2 hold sums, 2 a row of the right factor, 1 an element of the left one.
template <>
struct RegisterTile<Isa::avx512> {
  static constexpr std::size_t lanes = 16;
  using row_counts = std::index_sequence<14, 8, 4, 2, 1>;
  // At least 8 sums: two multiply-adds a cycle, each 4 cycles long.
  static constexpr std::size_t vectors(std::size_t rows) {
    return rows >= 4 ? 2 : rows == 2 ? 4 : 8;
  }

  template <std::size_t rows, std::size_t vectors, std::size_t row_step>
  static void run(const TileOperands& operands, std::size_t cols) {
    const __mmask16 mask = first_lanes(cols);
    __m512 sum[rows][vectors];
    LRQAT_UNROLL
    for (std::size_t i = 0; i < rows; ++i) {
      const float* const target = operands.target + i * operands.target_stride;
      LRQAT_UNROLL
      for (std::size_t v = 0; v < vectors; ++v)
        sum[i][v] = operands.overwrites ? _mm512_setzero_ps()
                    : vectors == 1      ? _mm512_maskz_loadu_ps(mask, target)
                                        : _mm512_loadu_ps(target + v * lanes);
    }
    const float* left = operands.left;
    const float* right = operands.right;
    const float* const* ahead = operands.ahead;
    for (std::size_t k = operands.depth; k != 0; --k) {
      if (k % 4 == 0 && ahead != operands.ahead_end) __builtin_prefetch(*ahead++);
      __m512 row[vectors];
      LRQAT_UNROLL
      for (std::size_t v = 0; v < vectors; ++v)
        row[v] = vectors == 1
                     ? _mm512_maskz_loadu_ps(mask, right)
                     : _mm512_loadu_ps(right + v / 2 * operands.panel_step + v % 2 * lanes);
      LRQAT_UNROLL
      for (std::size_t i = 0; i < rows; ++i) {
        const __m512 factor = _mm512_set1_ps(left[i * row_step]);
        LRQAT_UNROLL
        for (std::size_t v = 0; v < vectors; ++v)
          sum[i][v] = _mm512_fmadd_ps(factor, row[v], sum[i][v]);
      }
      left += operands.left_step;
      right += operands.right_step;
    }
    LRQAT_UNROLL
    for (std::size_t i = 0; i < rows; ++i) {
      float* const target = operands.target + i * operands.target_stride;
      LRQAT_UNROLL
      for (std::size_t v = 0; v < vectors; ++v)
        if (vectors == 1)
          _mm512_mask_storeu_ps(target, mask, sum[i][v]);
        else
          _mm512_storeu_ps(target + v * lanes, sum[i][v]);
    }
  }

  static void pack(const float* from, std::size_t stride, std::size_t depth, std::size_t cols,
                   float* to) {
    constexpr std::size_t panel = 2 * lanes;
    for (std::size_t k = 0; k < depth; ++k) {
      const float* const row = from + k * stride;
      float* copy = to + k * panel;
      std::size_t col = 0;
      for (; col + panel <= cols; col += panel, copy += panel * depth) {
        _mm512_storeu_ps(copy, _mm512_loadu_ps(row + col));
        _mm512_storeu_ps(copy + lanes, _mm512_loadu_ps(row + col + lanes));
      }
      for (; col < cols; col += lanes, copy += lanes)
        _mm512_storeu_ps(copy, _mm512_maskz_loadu_ps(first_lanes(cols - col), row + col));
    }
  }

 private:
  static __mmask16 first_lanes(std::size_t count) {
    return static_cast<__mmask16>(count >= lanes ? 0xFFFFu : (1u << count) - 1u);
  }
};

}  // namespace lrqat::kernel

LRQAT_TARGET_END

#endif  // LRQAT_KERNEL_MULTIPLY_AVX512_HPP
