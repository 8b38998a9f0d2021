// SPDX-License-Identifier: MIT
// kernel/multiply/avx2.hpp: register tiles of the product in AVX2 with FMA.
#ifndef LRQAT_KERNEL_MULTIPLY_AVX2_HPP
#define LRQAT_KERNEL_MULTIPLY_AVX2_HPP

#include <lrqat/core/config.hpp>              // LRQAT_UNROLL
#include <lrqat/kernel/isa.hpp>               // Isa, target regions
#include <lrqat/kernel/multiply/blocked.hpp>  // RegisterTile, TileOperands

#include <immintrin.h>

#include <cstddef>
#include <utility>

LRQAT_AVX2_BEGIN

namespace lrqat::kernel {

/// Of 16 registers, 6 x 2 hold sums, 2 a row of the right factor, 1 an element of the left one.
template <>
struct RegisterTile<Isa::avx2> {
  static constexpr std::size_t lanes = 8;
  using row_counts = std::index_sequence<6, 4, 2, 1>;
  // At least 8 sums: two multiply-adds a cycle, each 4 cycles long.
  static constexpr std::size_t vectors(std::size_t rows) {
    return rows >= 4 ? 2 : rows == 2 ? 4 : 8;
  }

  template <std::size_t rows, std::size_t vectors, std::size_t row_step>
  static void run(const TileOperands& operands, std::size_t cols) {
    const __m256i mask = first_lanes(cols);
    __m256 sum[rows][vectors];
    LRQAT_UNROLL
    for (std::size_t i = 0; i < rows; ++i) {
      const float* const target = operands.target + i * operands.target_stride;
      LRQAT_UNROLL
      for (std::size_t v = 0; v < vectors; ++v)
        sum[i][v] = operands.overwrites ? _mm256_setzero_ps()
                    : vectors == 1      ? _mm256_maskload_ps(target, mask)
                                        : _mm256_loadu_ps(target + v * lanes);
    }
    const float* left = operands.left;
    const float* right = operands.right;
    const float* const* ahead = operands.ahead;
    for (std::size_t k = operands.depth; k != 0; --k) {
      if (k % 4 == 0 && ahead != operands.ahead_end) __builtin_prefetch(*ahead++);
      __m256 row[vectors];
      LRQAT_UNROLL
      for (std::size_t v = 0; v < vectors; ++v)
        row[v] = vectors == 1
                     ? _mm256_maskload_ps(right, mask)
                     : _mm256_loadu_ps(right + v / 2 * operands.panel_step + v % 2 * lanes);
      LRQAT_UNROLL
      for (std::size_t i = 0; i < rows; ++i) {
        const __m256 factor = _mm256_broadcast_ss(left + i * row_step);
        LRQAT_UNROLL
        for (std::size_t v = 0; v < vectors; ++v)
          sum[i][v] = _mm256_fmadd_ps(factor, row[v], sum[i][v]);
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
          _mm256_maskstore_ps(target, mask, sum[i][v]);
        else
          _mm256_storeu_ps(target + v * lanes, sum[i][v]);
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
        _mm256_storeu_ps(copy, _mm256_loadu_ps(row + col));
        _mm256_storeu_ps(copy + lanes, _mm256_loadu_ps(row + col + lanes));
      }
      for (; col < cols; col += lanes, copy += lanes)
        _mm256_storeu_ps(copy, _mm256_maskload_ps(row + col, first_lanes(cols - col)));
    }
  }

 private:
  static __m256i first_lanes(std::size_t count) {
    const int wanted = static_cast<int>(count < lanes ? count : lanes);
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(wanted), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  }
};

}  // namespace lrqat::kernel

LRQAT_TARGET_END

#endif  // LRQAT_KERNEL_MULTIPLY_AVX2_HPP
