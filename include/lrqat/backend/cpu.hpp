// SPDX-License-Identifier: MIT
// backend/cpu.hpp: the passes of a layer on the CPU, tile by tile and on several threads.
#ifndef LRQAT_BACKEND_CPU_HPP
#define LRQAT_BACKEND_CPU_HPP

#include <lrqat/backend/parallel_for.hpp>
#include <lrqat/concept/backend.hpp>
#include <lrqat/core/matrix_view.hpp>
#include <lrqat/core/scratch.hpp>
#include <lrqat/kernel/multiply.hpp>
#include <lrqat/kernel/transpose.hpp>

#include <algorithm>
#include <cstddef>

namespace lrqat {

/// Float32 products. Work is cut by shape alone and every sum has a fixed order, so the same bits
/// come out for any number of threads. Scratch: a few tiles for each thread and, in backward, one
/// copy of the gradients that column blocks share for each of at most 16 blocks.
struct Cpu {
  using policy_kind = kind::backend;

  /// y (tokens, out) = x (tokens, in) W_hat^T.
  template <class Weight>
  static void forward(const Weight& weight, MatrixView<const float> x, MatrixView<float> y) {
    const Shape shape = weight.shape();
    const std::size_t rows = shape.rows >= 512 ? rows_per_tile : 32;
    const std::size_t row_tiles = (shape.rows + rows - 1) / rows;
    // Few row tiles: cut the tokens too. Each piece rebuilds its tiles, for 512 tokens' work.
    const std::size_t tokens = row_tiles < 8 ? 512 : std::max<std::size_t>(x.rows, 1);
    const std::size_t pieces = (x.rows + tokens - 1) / tokens;
    parallel_for(row_tiles * pieces, [&](std::size_t task) {
      const std::size_t row = task / pieces * rows, first = task % pieces * tokens;
      const std::size_t count = std::min(rows, shape.rows - row);
      const auto x_piece = x.block(first, 0, std::min(tokens, x.rows - first), x.cols);
      const auto y_tile = y.block(first, row, x_piece.rows, count);
      for (std::size_t col = 0; col < shape.cols; col += max_columns) {
        const Tile tile{row, col, count, std::min(max_columns, shape.cols - col)};
        const auto w = padded_scratch<struct weight_slot>(tile.rows, tile.cols);
        const auto w_transposed = padded_scratch<struct transposed_slot>(tile.cols, tile.rows);
        weight.weight(tile, w);
        kernel::transpose(w, w_transposed);
        const auto x_columns = kernel::left(x_piece.block(0, col, x_piece.rows, tile.cols));
        if (col == 0)
          kernel::multiply_into(x_columns, w_transposed, y_tile);
        else
          kernel::multiply(x_columns, w_transposed, y_tile);
      }
    });
  }

  /// One pass over the tiles, each rebuilt once: grad_x (tokens, in) = grad_y W_hat, and the
  /// gradients of the trained parameters.
  template <class P>
  static void backward(P& parameterization, MatrixView<const float> x,
                       MatrixView<const float> grad_y, MatrixView<float> grad_x) {
    const Shape shape = parameterization.shape();
    const std::size_t columns = column_block(shape.cols);
    const std::size_t blocks = (shape.cols + columns - 1) / columns;
    const auto shared = scratch<struct shared_slot>(blocks, parameterization.shared_gradients());
    parallel_for(blocks, [&](std::size_t block) {
      const std::size_t col = block * columns, count = std::min(columns, shape.cols - col);
      const auto dx = grad_x.block(0, col, grad_x.rows, count);
      std::fill_n(shared.row(block).data(), shared.cols, 0.0f);
      for (std::size_t row = 0; row < shape.rows; row += rows_per_tile) {
        const Tile tile{row, col, std::min(rows_per_tile, shape.rows - row), count};
        const auto dy = grad_y.block(0, row, grad_y.rows, tile.rows);
        const auto z = padded_scratch<struct latent_slot>(tile.rows, tile.cols);
        const auto w = padded_scratch<struct weight_slot>(tile.rows, tile.cols);
        parameterization.rebuild(tile, z, w);
        if (row == 0)
          kernel::multiply_into(kernel::left(dy), w, dx);
        else
          kernel::multiply(kernel::left(dy), w, dx);
        if constexpr (P::trains_weight) {
          const auto g = w;  // W_hat is not needed any more
          kernel::multiply_into(kernel::left_transposed(dy), x.block(0, col, x.rows, count), g);
          parameterization.backward(tile, z, g, shared.row(block));
        }
      }
    });
    if constexpr (P::trains_weight)
      for (std::size_t block = 0; block < blocks; ++block)
        parameterization.reduce(shared.row(block));
  }

 private:
  static constexpr std::size_t rows_per_tile = 128, max_columns = 512;

  /// At least 2 blocks where there is room, at most 16, of 32 to 512 columns if that allows it.
  static std::size_t column_block(std::size_t cols) {
    const auto padded = [](std::size_t n) { return (n + 31) / 32 * 32; };
    return std::max(
        {std::size_t{32}, std::min(padded((cols + 7) / 8), max_columns), padded((cols + 15) / 16)});
  }
};

static_assert(Backend<Cpu>);

}  // namespace lrqat

#endif  // LRQAT_BACKEND_CPU_HPP
