// SPDX-License-Identifier: MIT
// kernel/multiply_bf16/emulated.hpp: rounded operands in float32 products: the oracle of the units,
// and what machines without one use.
#ifndef LRQAT_KERNEL_MULTIPLY_BF16_EMULATED_HPP
#define LRQAT_KERNEL_MULTIPLY_BF16_EMULATED_HPP

#include <lrqat/core/bf16.hpp>                      // bf16
#include <lrqat/core/scratch.hpp>                   // padded_scratch
#include <lrqat/kernel/multiply.hpp>                // multiply, multiply_into
#include <lrqat/kernel/multiply_bf16/operands.hpp>  // Bf16Product
#include <lrqat/kernel/vectorised.hpp>              // vectorised, for_each_lane

#include <algorithm>

namespace lrqat::kernel {

/// Products of two bfloat16 are exact in float32, so each element is one chain of float32 sums from
/// the old c on, in ascending k: the same bits on every instruction set.
inline void multiply_bf16_emulated(const Bf16Product& product) {
  constexpr std::size_t side = 256;
  const LeftFactor<float> a = product.a;
  const MatrixView<const float> b = product.b;
  const MatrixView<float> c = product.c;
  const auto rounded = [](float value) { return static_cast<float>(bf16(value)); };
  for (std::size_t k = 0; k < a.depth; k += side)
    for (std::size_t col = 0; col < c.cols; col += side) {
      const std::size_t depth = std::min(side, a.depth - k), cols = std::min(side, c.cols - col);
      const auto right = padded_scratch<struct rounded_right_slot>(depth, cols);
      vectorised([&] {
        for (std::size_t d = 0; d < depth; ++d)
          for_each_lane(cols, [=, from = &b(k + d, col), to = right.row(d).data()](std::size_t j) {
            to[j] = rounded(from[j]);
          });
      });
      for (std::size_t row = 0; row < a.rows; row += side) {
        const std::size_t rows = std::min(side, a.rows - row);
        const auto left_rows = padded_scratch<struct rounded_left_slot>(rows, depth);
        for (std::size_t i = 0; i < rows; ++i)
          for (std::size_t d = 0; d < depth; ++d)
            left_rows(i, d) =
                rounded(*a.at(row + i, k + d) *
                        (product.depth_scale == nullptr ? 1.0f : product.depth_scale[k + d]));
        const auto target = c.block(row, col, rows, cols);
        if (product.overwrites && k == 0)
          multiply_into(left(left_rows), right, target);
        else
          multiply(left(left_rows), right, target);
      }
    }
}

}  // namespace lrqat::kernel

#endif  // LRQAT_KERNEL_MULTIPLY_BF16_EMULATED_HPP
