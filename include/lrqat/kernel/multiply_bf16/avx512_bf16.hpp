// SPDX-License-Identifier: MIT
// kernel/multiply_bf16/avx512_bf16.hpp: the product in AVX512_BF16's dot products of pairs.
#ifndef LRQAT_KERNEL_MULTIPLY_BF16_AVX512_BF16_HPP
#define LRQAT_KERNEL_MULTIPLY_BF16_AVX512_BF16_HPP

#include <lrqat/core/config.hpp>                    // LRQAT_UNROLL
#include <lrqat/core/scratch.hpp>                   // scratch
#include <lrqat/kernel/bf16_unit.hpp>               // target region
#include <lrqat/kernel/multiply_bf16/operands.hpp>  // Bf16Product, pair_rows

#include <immintrin.h>

#include <algorithm>
#include <cstddef>

LRQAT_AVX512_BF16_BEGIN

namespace lrqat::kernel {

/// Of 32 registers, 14 x 2 hold sums, 2 pairs of rows of b, 1 a pair of a.
struct Avx512Bf16Tile {
  static constexpr std::size_t lanes = 16, panel = 2 * lanes, most_rows = 14;

  /// target += (or =) left right over `pairs` pairs; left (row i, pair p) at left[p * 16 + i],
  /// right (pair p, column j) at right[p * 32 + j]; `cols` columns of the panel are stored.
  template <std::size_t rows>
  static void run(const Bf16Pair* left, const Bf16Pair* right, std::size_t pairs, float* target,
                  std::size_t stride, std::size_t cols, bool overwrites) {
    const __mmask16 masks[2] = {first_lanes(cols), first_lanes(cols > lanes ? cols - lanes : 0)};
    __m512 sum[rows][2];
    LRQAT_UNROLL
    for (std::size_t i = 0; i < rows; ++i) {
      LRQAT_UNROLL
      for (std::size_t v = 0; v < 2; ++v)
        sum[i][v] = overwrites ? _mm512_setzero_ps()
                               : _mm512_maskz_loadu_ps(masks[v], target + i * stride + v * lanes);
    }
    for (; pairs != 0; --pairs) {
      const __m512bh first = reinterpret_cast<__m512bh>(_mm512_loadu_si512(right));
      const __m512bh second = reinterpret_cast<__m512bh>(_mm512_loadu_si512(right + lanes));
      LRQAT_UNROLL
      for (std::size_t i = 0; i < rows; ++i) {
        const __m512bh factor =
            reinterpret_cast<__m512bh>(_mm512_set1_epi32(static_cast<int>(left[i])));
        sum[i][0] = _mm512_dpbf16_ps(sum[i][0], factor, first);
        sum[i][1] = _mm512_dpbf16_ps(sum[i][1], factor, second);
      }
      left += 16;
      right += panel;
    }
    LRQAT_UNROLL
    for (std::size_t i = 0; i < rows; ++i) {
      LRQAT_UNROLL
      for (std::size_t v = 0; v < 2; ++v)
        _mm512_mask_storeu_ps(target + i * stride + v * lanes, masks[v], sum[i][v]);
    }
  }

 private:
  static __mmask16 first_lanes(std::size_t count) {
    return static_cast<__mmask16>(count >= lanes ? 0xFFFFu : (1u << count) - 1u);
  }
};

}  // namespace lrqat::kernel

LRQAT_TARGET_END

namespace lrqat::kernel {

/// Blocks of 512 x 256 of b are brought into pairs once, strips of 14 rows of a for each of them.
/// A chain of sums passes through c from one block of the depth to the next.
inline void multiply_bf16_avx512(const Bf16Product& product) {
  using Tile = Avx512Bf16Tile;
  constexpr std::size_t depth_block = 512, width_block = 256, most_pairs = depth_block / 2;
  const LeftFactor<float> a = product.a;
  const MatrixView<const float> b = product.b;
  const MatrixView<float> c = product.c;
  const auto right = scratch<struct paired_right_slot, Bf16Pair>(most_pairs, width_block);
  const auto left = scratch<struct paired_left_slot, Bf16Pair>(most_pairs, 16);
  for (std::size_t k = 0; k < a.depth; k += depth_block)
    for (std::size_t col = 0; col < c.cols; col += width_block) {
      const std::size_t depth = std::min(depth_block, a.depth - k), pairs = (depth + 1) / 2;
      const std::size_t cols = std::min(width_block, c.cols - col);
      vectorised([&] {
        for (std::size_t first = 0; first < cols; first += Tile::panel)
          for (std::size_t p = 0; p < pairs; ++p) {
            Bf16Pair* const to = right.data + first * pairs + p * Tile::panel;
            const std::size_t count = std::min(Tile::panel, cols - first), row = k + 2 * p;
            if (count < Tile::panel) std::fill_n(to, Tile::panel, 0u);
            detail::pair_rows(&b(row, col + first), 1.0f,
                              2 * p + 1 < depth ? &b(row + 1, col + first) : nullptr, 1.0f, count,
                              to);
          }
      });
      for (std::size_t row = 0; row < a.rows;) {
        const std::size_t rest = a.rows - row;
        const std::size_t rows = rest >= 14 && (rest == 14 || rest > 16) ? 14
                                 : rest >= 8                             ? 8
                                 : rest >= 4                             ? 4
                                 : rest >= 2                             ? 2
                                                                         : 1;
        vectorised(
            [&] { detail::pair_left_strip(product, row, rows, k, depth, left.data, 1, 16); });
        for (std::size_t first = 0; first < cols; first += Tile::panel) {
          const auto run = rows == 14  ? Tile::run<14>
                           : rows == 8 ? Tile::run<8>
                           : rows == 4 ? Tile::run<4>
                           : rows == 2 ? Tile::run<2>
                                       : Tile::run<1>;
          run(left.data, right.data + first * pairs, pairs, &c(row, col + first), c.stride,
              std::min(Tile::panel, cols - first), product.overwrites && k == 0);
        }
        row += rows;
      }
    }
}

}  // namespace lrqat::kernel

#endif  // LRQAT_KERNEL_MULTIPLY_BF16_AVX512_BF16_HPP
