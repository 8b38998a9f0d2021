// SPDX-License-Identifier: MIT
// kernel/multiply_bf16/operands.hpp: a product of rounded operands, and how they are brought into
// pairs of bfloat16.
#ifndef LRQAT_KERNEL_MULTIPLY_BF16_OPERANDS_HPP
#define LRQAT_KERNEL_MULTIPLY_BF16_OPERANDS_HPP

#include <lrqat/core/bf16.hpp>                    // bf16
#include <lrqat/core/config.hpp>                  // LRQAT_INLINE
#include <lrqat/core/matrix_view.hpp>             // MatrixView
#include <lrqat/kernel/multiply/left_factor.hpp>  // LeftFactor
#include <lrqat/kernel/vectorised.hpp>            // vectorised, for_each_lane

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace lrqat::kernel {

/// c (m, n) += or = a (m, k) b (k, n), with a (i, k) times depth_scale[k] in the place of a where
/// depth_scale is given; the two factors are rounded to bfloat16.
struct Bf16Product {
  LeftFactor<float> a;
  MatrixView<const float> b;
  MatrixView<float> c;
  const float* depth_scale;  // k values or null
  bool overwrites;
};

/// Two bfloat16 that follow each other in the depth, the first in the lower half: what the
/// processors' dot products of pairs read.
using Bf16Pair = std::uint32_t;

namespace detail {

LRQAT_INLINE Bf16Pair bf16_pair(float first, float second) {
  return static_cast<Bf16Pair>(bf16(first).bits) | static_cast<Bf16Pair>(bf16(second).bits) << 16;
}

/// Pairs of two neighbouring rows of float; `second` may be null for a row of zeros.
LRQAT_INLINE void pair_rows(const float* first, float first_scale, const float* second,
                            float second_scale, std::size_t count, Bf16Pair* pairs) {
  if (second == nullptr)
    for_each_lane(count,
                  [=](std::size_t j) { pairs[j] = bf16_pair(first_scale * first[j], 0.0f); });
  else
    for_each_lane(count, [=](std::size_t j) {
      pairs[j] = bf16_pair(first_scale * first[j], second_scale * second[j]);
    });
}

/// Row i of a, from depth k on, as the pairs 0 .. (depth + 1) / 2.
LRQAT_INLINE void pair_left_row(const Bf16Product& product, std::size_t i, std::size_t k,
                                std::size_t depth, Bf16Pair* pairs) {
  const float* const from = product.a.at(i, k);
  const float* const scale = product.depth_scale == nullptr ? nullptr : product.depth_scale + k;
  const std::size_t step = product.a.depth_step, whole = depth / 2;
  if (step == 1 && scale == nullptr)
    for_each_lane(whole,
                  [=](std::size_t p) { pairs[p] = bf16_pair(from[2 * p], from[2 * p + 1]); });
  else if (step == 1)
    for_each_lane(whole, [=](std::size_t p) {
      pairs[p] = bf16_pair(from[2 * p] * scale[2 * p], from[2 * p + 1] * scale[2 * p + 1]);
    });
  else
    for (std::size_t p = 0; p < whole; ++p) {
      const float first = scale == nullptr ? 1.0f : scale[2 * p];
      const float second = scale == nullptr ? 1.0f : scale[2 * p + 1];
      pairs[p] = bf16_pair(from[2 * p * step] * first, from[(2 * p + 1) * step] * second);
    }
  if (depth % 2 != 0)
    pairs[whole] =
        bf16_pair(from[(depth - 1) * step] * (scale == nullptr ? 1.0f : scale[depth - 1]), 0.0f);
}

/// A strip of `rows` rows of a: pair p of row i goes to pairs[i * row_step + p * pair_step]. Rows
/// that follow each other in memory are read side by side; with row_step 1 there is room for
/// pair_step of them.
LRQAT_INLINE void pair_left_strip(const Bf16Product& product, std::size_t i, std::size_t rows,
                                  std::size_t k, std::size_t depth, Bf16Pair* pairs,
                                  std::size_t row_step, std::size_t pair_step) {
  constexpr std::size_t most_pairs = 256;
  Bf16Pair line[most_pairs];
  if (product.a.row_step == 1) {
    // Where there are 16 rows to read and room for them, no loop ends in single elements.
    const bool in_place = row_step == 1;
    const std::size_t count = in_place ? std::min(pair_step, product.a.rows - i) : rows;
    for (std::size_t p = 0; 2 * p < depth; ++p) {
      const bool second = 2 * p + 1 < depth;
      const float* const scale = product.depth_scale;
      Bf16Pair* const to = in_place ? pairs + p * pair_step : line;
      pair_rows(product.a.at(i, k + 2 * p), scale == nullptr ? 1.0f : scale[k + 2 * p],
                second ? product.a.at(i, k + 2 * p + 1) : nullptr,
                scale == nullptr || !second ? 1.0f : scale[k + 2 * p + 1], count, to);
      if (!in_place)
        for (std::size_t row = 0; row < rows; ++row)
          pairs[row * row_step + p * pair_step] = line[row];
    }
    return;
  }
  for (std::size_t row = 0; row < rows; ++row) {
    pair_left_row(product, i + row, k, depth, line);
    for (std::size_t p = 0; 2 * p < depth; ++p) pairs[row * row_step + p * pair_step] = line[p];
  }
}

}  // namespace detail

}  // namespace lrqat::kernel

#endif  // LRQAT_KERNEL_MULTIPLY_BF16_OPERANDS_HPP
