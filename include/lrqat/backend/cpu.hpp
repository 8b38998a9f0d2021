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
#include <span>

namespace lrqat {

/// Float32 products. Work is cut by shape alone and every sum has a fixed order, so the same bits
/// come out for any number of threads. Scratch, kept between calls: about 1.5 MiB for each thread
/// and, in backward, 4 MiB (or, if that is more, one copy for each thread) of the gradients that
/// column blocks have in common.
struct Cpu {
  using policy_kind = kind::backend;

  /// y (tokens, out) = x (tokens, in) W_hat^T.
  template <class Weight>
  static void forward(const Weight& weight, MatrixView<const float> x, MatrixView<float> y) {
    const Shape shape = weight.shape();
    const std::size_t rows = shape.rows >= 2048 ? rows_per_tile : shape.rows >= 512 ? 128 : 32;
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
    const std::size_t wave = std::min(blocks, blocks_at_once(parameterization.shared_gradients()));
    const auto shared = scratch<struct shared_slot>(wave, parameterization.shared_gradients());
    for (std::size_t first = 0; first < blocks; first += wave) {
      const std::size_t count = std::min(wave, blocks - first);
      parallel_for(count, [&](std::size_t i) {
        const std::size_t col = (first + i) * columns;
        column_pass(parameterization, col, std::min(columns, shape.cols - col), x, grad_y, grad_x,
                    shared.row(i));
      });
      if constexpr (P::trains_weight)
        for (std::size_t i = 0; i < count; ++i) parameterization.reduce(shared.row(i));
    }
  }

 private:
  static constexpr std::size_t rows_per_tile = 256, max_columns = 256;

  /// The tiles of one column block from the first row to the last.
  template <class P>
  static void column_pass(P& parameterization, std::size_t col, std::size_t columns,
                          MatrixView<const float> x, MatrixView<const float> grad_y,
                          MatrixView<float> grad_x, std::span<float> shared) {
    const Shape shape = parameterization.shape();
    const auto dx = grad_x.block(0, col, grad_x.rows, columns);
    std::fill(shared.begin(), shared.end(), 0.0f);
    for (std::size_t row = 0; row < shape.rows; row += rows_per_tile) {
      const Tile tile{row, col, std::min(rows_per_tile, shape.rows - row), columns};
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
        kernel::multiply_into(kernel::left_transposed(dy), x.block(0, col, x.rows, columns), g);
        parameterization.backward(tile, z, g, shared);
      }
    }
  }

  /// 8 blocks or more where there is room, of 32 to 256 columns.
  static std::size_t column_block(std::size_t cols) {
    const std::size_t eighth = (cols + 7) / 8, padded = (eighth + 31) / 32 * 32;
    return std::clamp(padded, std::size_t{32}, max_columns);
  }

  /// How many blocks share the threads before their sums are added up, in block order: as many as
  /// 4 MiB of sums hold, and one for each thread at least. This changes no bit of the result.
  static std::size_t blocks_at_once(std::size_t shared_gradients) {
    constexpr std::size_t most = (std::size_t{4} << 20) / sizeof(float);
    const auto threads = static_cast<std::size_t>(thread_count());
    const std::size_t fit = most / std::max<std::size_t>(shared_gradients, 1);
    return std::max(fit / threads, std::size_t{1}) * threads;
  }
};

static_assert(Backend<Cpu>);

}  // namespace lrqat

#endif  // LRQAT_BACKEND_CPU_HPP
