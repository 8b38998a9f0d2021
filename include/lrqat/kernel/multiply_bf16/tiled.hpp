// SPDX-License-Identifier: MIT
// kernel/multiply_bf16/tiled.hpp: how a product is cut into the registers of a tile unit.
#ifndef LRQAT_KERNEL_MULTIPLY_BF16_TILED_HPP
#define LRQAT_KERNEL_MULTIPLY_BF16_TILED_HPP

#include <lrqat/core/matrix_view.hpp>               // MatrixView
#include <lrqat/core/scratch.hpp>                   // scratch
#include <lrqat/kernel/multiply_bf16/operands.hpp>  // Bf16Product, pair_rows

#include <algorithm>
#include <cstddef>

namespace lrqat::kernel {

/// A tile has 16 rows of 64 bytes: 16 x 16 sums in float32, 16 rows of a with 16 pairs each, or 16
/// pairs of rows of b with 16 columns.
struct TileShape {
  static constexpr std::size_t rows = 16, pairs = 16, cols = 16, words = rows * 16;
};

/// The product on a tile unit `Tiles`, with four registers of sums (32 x 32 elements of c), two of
/// a and two of b. Tiles is the processor's unit or, in tests, a model of it:
///
///   begin(), end()                   take and give back the registers
///   zero_sums(), load_sums(from), store_sums(to)
///                                    32 x 32 float, row-major without gaps
///   step(left, right)                sums += left right; left: two tiles below each other, right:
///                                    two side by side, a tile's 256 words without gaps
///
/// Blocks of b (512 x 256) and strips of a (32 rows) are first brought into tiles, with zeros where
/// the matrices end; a chain of sums passes through c from one block of the depth to the next.
template <class Tiles>
void multiply_bf16_tiled(const Bf16Product& product) {
  constexpr std::size_t depth_block = 512, width_block = 256, side = 2 * TileShape::rows;
  constexpr std::size_t words = TileShape::words, step_words = 2 * words;
  constexpr std::size_t most_steps = depth_block / 2 / TileShape::pairs;
  const LeftFactor<float> a = product.a;
  const MatrixView<const float> b = product.b;
  const MatrixView<float> c = product.c;
  const auto right =
      scratch<struct tiled_right_slot, Bf16Pair>(width_block / side, most_steps * step_words);
  const auto left = scratch<struct tiled_left_slot, Bf16Pair>(most_steps, step_words);
  Tiles::begin();
  for (std::size_t k = 0; k < a.depth; k += depth_block)
    for (std::size_t col = 0; col < c.cols; col += width_block) {
      const std::size_t depth = std::min(depth_block, a.depth - k), pairs = (depth + 1) / 2;
      const std::size_t steps = (pairs + TileShape::pairs - 1) / TileShape::pairs;
      const std::size_t cols = std::min(width_block, c.cols - col);
      vectorised([&] {
        for (std::size_t first = 0; first < cols; first += side) {
          Bf16Pair* const panel = right.row(first / side).data();
          std::fill_n(panel, steps * step_words, 0u);
          for (std::size_t p = 0; p < pairs; ++p)
            for (std::size_t half = first; half < std::min(cols, first + side);
                 half += TileShape::cols)
              detail::pair_rows(
                  &b(k + 2 * p, col + half), 1.0f,
                  2 * p + 1 < depth ? &b(k + 2 * p + 1, col + half) : nullptr, 1.0f,
                  std::min(TileShape::cols, cols - half),
                  panel + p / 16 * step_words + (half - first) / 16 * words + p % 16 * 16);
        }
      });
      for (std::size_t row = 0; row < a.rows; row += side) {
        const std::size_t rows = std::min(side, a.rows - row);
        vectorised([&] {
          std::fill_n(left.data, steps * step_words, 0u);
          // Pair p of row i is word p % 16 of row i of the p / 16-th step: 16 pairs at a time.
          for (std::size_t step = 0; step < steps; ++step) {
            const std::size_t done = step * 2 * TileShape::pairs;
            detail::pair_left_strip(product, row, rows, k + done,
                                    std::min(2 * TileShape::pairs, depth - done),
                                    left.row(step).data(), TileShape::pairs, 1);
          }
        });
        for (std::size_t first = 0; first < cols; first += side) {
          const auto target = c.block(row, col + first, rows, std::min(side, cols - first));
          alignas(64) float sums[side * side];
          if (product.overwrites && k == 0) {
            Tiles::zero_sums();
          } else {
            for (std::size_t i = 0; i < target.rows; ++i)
              std::copy_n(target.row(i).data(), target.cols, sums + i * side);
            Tiles::load_sums(sums);
          }
          const Bf16Pair* const panel = right.row(first / side).data();
          for (std::size_t step = 0; step < steps; ++step)
            Tiles::step(left.row(step).data(), panel + step * step_words);
          Tiles::store_sums(sums);
          for (std::size_t i = 0; i < target.rows; ++i)
            std::copy_n(sums + i * side, target.cols, target.row(i).data());
        }
      }
    }
  Tiles::end();
}

}  // namespace lrqat::kernel

#endif  // LRQAT_KERNEL_MULTIPLY_BF16_TILED_HPP
