// SPDX-License-Identifier: MIT
// kernel/multiply_bf16/avx512_bf16.hpp: the product in AVX512_BF16's dot products of pairs.
#ifndef LRQAT_KERNEL_MULTIPLY_BF16_AVX512_BF16_HPP
#define LRQAT_KERNEL_MULTIPLY_BF16_AVX512_BF16_HPP

#include <lrqat/core/config.hpp>                    // LRQAT_UNROLL
#include <lrqat/core/scratch.hpp>                   // scratch
#include <lrqat/kernel/bf16_unit.hpp>               // target region
#include <lrqat/kernel/multiply/fetch_list.hpp>     // FetchList
#include <lrqat/kernel/multiply_bf16/operands.hpp>  // Bf16Product, pair_left_strip

#include <immintrin.h>

#include <algorithm>
#include <cstddef>

LRQAT_AVX512_BF16_BEGIN

namespace lrqat::kernel {

/// Operands rounded and paired by the processor, 32 numbers at a time.
struct Avx512Bf16Pairs {
  static constexpr std::size_t lanes = 16;

  static __mmask16 first_lanes(std::size_t count) {
    return static_cast<__mmask16>(count >= lanes ? 0xFFFFu : (1u << count) - 1u);
  }

  /// to[j] = the pair of first[j] and second[j], each times its factor; `second` may be null for
  /// zeros. Writes whole vectors: `to` has room for `count` rounded up to 16, the rest becomes 0.
  static void of_rows(const float* first, float first_factor, const float* second,
                      float second_factor, std::size_t count, Bf16Pair* to) {
    const __m512i interleaved = _mm512_set_epi16(
        31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21, 5, 20, 4,
        19, 3, 18, 2, 17, 1, 16, 0);
    for (std::size_t j = 0; j < count; j += lanes) {
      const __mmask16 mask = first_lanes(count - j);
      const __m512 low = _mm512_mul_ps(_mm512_set1_ps(first_factor),
                                       _mm512_maskz_loadu_ps(mask, first + j));
      const __m512 high = second == nullptr
                              ? _mm512_setzero_ps()
                              : _mm512_mul_ps(_mm512_set1_ps(second_factor),
                                              _mm512_maskz_loadu_ps(mask, second + j));
      const __m512i rounded = reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(high, low));
      _mm512_storeu_si512(to + j, _mm512_permutexvar_epi16(interleaved, rounded));
    }
  }

  /// The pairs of `depth` neighbours from[0], from[1], ..., each times its factor where `factor` is
  /// not null; an odd last one is paired with 0. Writes whole vectors.
  static void of_neighbours(const float* from, const float* factor, std::size_t depth,
                            Bf16Pair* to) {
    for (std::size_t k = 0; k < depth; k += 2 * lanes) {
      const std::size_t rest = depth - k;
      const __mmask16 first = first_lanes(rest), second = first_lanes(rest - std::min(rest, lanes));
      __m512 low = _mm512_maskz_loadu_ps(first, from + k);
      __m512 high = _mm512_maskz_loadu_ps(second, from + k + lanes);
      if (factor != nullptr) {
        low = _mm512_mul_ps(low, _mm512_maskz_loadu_ps(first, factor + k));
        high = _mm512_mul_ps(high, _mm512_maskz_loadu_ps(second, factor + k + lanes));
      }
      _mm512_storeu_si512(to + k / 2, reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(high, low)));
    }
  }
};

/// Of 32 registers, 14 x 2 hold sums, 2 pairs of rows of b, 1 a pair of a.
struct Avx512Bf16Tile {
  static constexpr std::size_t lanes = 16, panel = 2 * lanes, most_rows = 14;

  /// target += (or =) left right over `pairs` pairs; left (row i, pair p) at left[i * row_step +
  /// p * pair_step], right (pair p, column j) at right[p * 32 + j]; `cols` columns of the panel are
  /// stored. Asks for the addresses of `ahead` meanwhile.
  template <std::size_t rows, std::size_t row_step, std::size_t pair_step>
  static void run(const Bf16Pair* left, const Bf16Pair* right, std::size_t pairs, float* target,
                  std::size_t stride, std::size_t cols, bool overwrites, const FetchList& ahead) {
    const __mmask16 masks[2] = {
        Avx512Bf16Pairs::first_lanes(cols),
        Avx512Bf16Pairs::first_lanes(cols > lanes ? cols - lanes : 0)};
    __m512 sum[rows][2];
    LRQAT_UNROLL
    for (std::size_t i = 0; i < rows; ++i) {
      LRQAT_UNROLL
      for (std::size_t v = 0; v < 2; ++v)
        sum[i][v] = overwrites ? _mm512_setzero_ps()
                               : _mm512_maskz_loadu_ps(masks[v], target + i * stride + v * lanes);
    }
    const float* const* next = ahead.begin();
    const float* const* const end = ahead.end();
    for (; pairs != 0; --pairs) {
      if (pairs % 2 == 0 && next != end) __builtin_prefetch(*next++);
      const __m512bh first = reinterpret_cast<__m512bh>(_mm512_loadu_si512(right));
      const __m512bh second = reinterpret_cast<__m512bh>(_mm512_loadu_si512(right + lanes));
      LRQAT_UNROLL
      for (std::size_t i = 0; i < rows; ++i) {
        const __m512bh factor =
            reinterpret_cast<__m512bh>(_mm512_set1_epi32(static_cast<int>(left[i * row_step])));
        sum[i][0] = _mm512_dpbf16_ps(sum[i][0], factor, first);
        sum[i][1] = _mm512_dpbf16_ps(sum[i][1], factor, second);
      }
      left += pair_step;
      right += panel;
    }
    LRQAT_UNROLL
    for (std::size_t i = 0; i < rows; ++i) {
      LRQAT_UNROLL
      for (std::size_t v = 0; v < 2; ++v)
        _mm512_mask_storeu_ps(target + i * stride + v * lanes, masks[v], sum[i][v]);
    }
  }
};

}  // namespace lrqat::kernel

LRQAT_TARGET_END

namespace lrqat::kernel {

/// Blocks of 512 x 256 of b are brought into pairs once, strips of 14 rows of a for each of them.
/// A chain of sums passes through c from one block of the depth to the next.
class Avx512Bf16Product {
 public:
  explicit Avx512Bf16Product(const Bf16Product& product)
      : product_(product),
        right_(scratch<struct paired_right_slot, Bf16Pair>(most_pairs, width_block)),
        left_(scratch<struct paired_left_slot, Bf16Pair>(most_pairs, 16).data) {}

  void run() {
    for (std::size_t k = 0; k < product_.a.depth; k += depth_block)
      for (std::size_t col = 0; col < product_.c.cols; col += width_block)
        block(k, std::min(depth_block, product_.a.depth - k), col,
              std::min(width_block, product_.c.cols - col));
  }

 private:
  using Tile = Avx512Bf16Tile;
  static constexpr std::size_t depth_block = 512, width_block = 256;
  // Rows of pairs are an odd number of cache lines apart; 14 of them fit below most_pairs x 16.
  static constexpr std::size_t most_pairs = depth_block / 2, row_step = most_pairs + 16;
  static_assert(Tile::most_rows * row_step <= most_pairs * 16);

  void block(std::size_t k, std::size_t depth, std::size_t col, std::size_t cols) {
    const LeftFactor<float>& a = product_.a;
    const MatrixView<const float>& b = product_.b;
    const std::size_t pairs = (depth + 1) / 2;
    for (std::size_t first = 0; first < cols; first += Tile::panel)
      for (std::size_t p = 0; p < pairs; ++p)
        Avx512Bf16Pairs::of_rows(
            &b(k + 2 * p, col + first), 1.0f,
            2 * p + 1 < depth ? &b(k + 2 * p + 1, col + first) : nullptr, 1.0f,
            std::min(Tile::panel, cols - first), panel(first, pairs) + p * Tile::panel);
    for (std::size_t row = 0; row < a.rows;) {
      const std::size_t rest = a.rows - row;
      if (rest >= 14 && (rest == 14 || rest > 16))
        row += strip<14>(row, k, depth, col, cols);
      else if (rest >= 8)
        row += strip<8>(row, k, depth, col, cols);
      else if (rest >= 4)
        row += strip<4>(row, k, depth, col, cols);
      else if (rest >= 2)
        row += strip<2>(row, k, depth, col, cols);
      else
        row += strip<1>(row, k, depth, col, cols);
    }
  }

  /// Rows [row, row + rows) of the block; returns their number.
  template <std::size_t rows>
  std::size_t strip(std::size_t row, std::size_t k, std::size_t depth, std::size_t col,
                    std::size_t cols) {
    const LeftFactor<float>& a = product_.a;
    const float* const factor = product_.depth_scale == nullptr ? nullptr : product_.depth_scale + k;
    if (a.depth_step == 1) {
      for (std::size_t i = 0; i < rows; ++i)
        Avx512Bf16Pairs::of_neighbours(a.at(row + i, k), factor, depth, left_ + i * row_step);
      columns<rows, row_step, 1>(row, k, depth, col, cols);
      return rows;
    }
    if (a.row_step == 1) {
      for (std::size_t d = 0; d < depth; d += 2) {
        const bool odd = d + 1 == depth;
        Avx512Bf16Pairs::of_rows(a.at(row, k + d), factor == nullptr ? 1.0f : factor[d],
                                 odd ? nullptr : a.at(row, k + d + 1),
                                 odd || factor == nullptr ? 1.0f : factor[d + 1], rows,
                                 left_ + d / 2 * 16);
      }
    } else {
      vectorised([&] { detail::pair_left_strip(product_, row, rows, k, depth, left_, 1, 16); });
    }
    columns<rows, 1, 16>(row, k, depth, col, cols);
    return rows;
  }

  template <std::size_t rows, std::size_t left_row_step, std::size_t left_pair_step>
  void columns(std::size_t row, std::size_t k, std::size_t depth, std::size_t col,
               std::size_t cols) {
    const MatrixView<float>& c = product_.c;
    const std::size_t pairs = (depth + 1) / 2;
    const std::size_t next_rows = std::min(rows, product_.a.rows - row - rows);
    for (std::size_t first = 0; first < cols; first += Tile::panel) {
      const std::size_t width = std::min(Tile::panel, cols - first);
      float* const target = &c(row, col + first);
      ahead_.clear();
      if (next_rows != 0 && depth >= 128 && cols >= 64) {
        ahead_.add_target(target + rows * c.stride, c.stride, next_rows, width);
        ahead_.add_left(product_.a, row + rows, next_rows, k + depth * first / cols,
                        k + depth * (first + width) / cols);
      }
      Tile::run<rows, left_row_step, left_pair_step>(left_, panel(first, pairs), pairs, target,
                                                     c.stride, width,
                                                     product_.overwrites && k == 0, ahead_);
    }
  }

  Bf16Pair* panel(std::size_t first, std::size_t pairs) const {
    return right_.data + first * pairs;
  }

  Bf16Product product_;
  MatrixView<Bf16Pair> right_;
  Bf16Pair* left_;
  FetchList ahead_;
};

inline void multiply_bf16_avx512(const Bf16Product& product) { Avx512Bf16Product(product).run(); }

}  // namespace lrqat::kernel

#endif  // LRQAT_KERNEL_MULTIPLY_BF16_AVX512_BF16_HPP
