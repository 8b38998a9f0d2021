// SPDX-License-Identifier: MIT
// linear/dense_product.hpp: the three products of a plain linear layer, on threads.
#ifndef LRQAT_LINEAR_DENSE_PRODUCT_HPP
#define LRQAT_LINEAR_DENSE_PRODUCT_HPP

#include <lrqat/backend/parallel_for.hpp>
#include <lrqat/core/expects.hpp>
#include <lrqat/core/matrix_view.hpp>
#include <lrqat/core/scratch.hpp>
#include <lrqat/kernel/clear.hpp>
#include <lrqat/kernel/multiply.hpp>
#include <lrqat/kernel/transpose.hpp>

#include <algorithm>
#include <cstddef>
#include <type_traits>

namespace lrqat {

namespace detail {

/// Tokens and columns of a task; a tile of the weight's gradient (long sums over tokens) is
/// smaller.
inline constexpr std::size_t dense_tokens = 64, dense_cols = 256;
inline constexpr std::size_t gradient_rows = 32, gradient_cols = 32;
/// Below this many tokens the weight is the left factor, and nothing of its size is transposed.
inline constexpr std::size_t few_tokens = 9;
/// Numbers of the weight that are transposed at a time.
inline constexpr std::size_t transposed_numbers = std::size_t{1} << 18;

/// Calls body(tile) for tiles of at most (rows, cols) that cover `shape`.
template <class Body>
void for_tiles(Shape shape, std::size_t rows, std::size_t cols, const Body& body) {
  const std::size_t down = (shape.rows + rows - 1) / rows, across = (shape.cols + cols - 1) / cols;
  parallel_for(down * across, [&](std::size_t task) {
    const std::size_t row = task / across * rows, col = task % across * cols;
    body(Tile{row, col, std::min(rows, shape.rows - row), std::min(cols, shape.cols - col)});
  });
}

template <class T>
void dense_forward_few(MatrixView<const T> x, MatrixView<const T> weight, MatrixView<T> y) {
  struct Inputs;
  const MatrixView<T> inputs = scratch<Inputs, T>(x.cols, x.rows);
  kernel::transpose(x, inputs);
  for_tiles({weight.rows, 1}, dense_cols, 1, [&](const Tile& tile) {
    struct Outputs;
    const MatrixView<T> outputs = scratch<Outputs, T>(tile.rows, x.rows);
    kernel::assign_product(kernel::left(weight.block(tile.row, 0, tile.rows, weight.cols)),
                           MatrixView<const T>(inputs), outputs);
    kernel::transpose(MatrixView<const T>(outputs), y.block(0, tile.row, x.rows, tile.rows));
  });
}

}  // namespace detail

/// y = x weight^T. Each element is one chain of multiply-adds from 0 on, in ascending order.
///
/// @param x  (tokens, in)      @param weight  (out, in)      @param y  (tokens, out), overwritten
template <class T>
void dense_forward(MatrixView<const std::type_identity_t<T>> x,
                   MatrixView<const std::type_identity_t<T>> weight, MatrixView<T> y) {
  expects(x.cols == weight.cols && y.rows == x.rows && y.cols == weight.rows,
          "dense_forward: x is (", x.rows, ", ", x.cols, "), weight (", weight.rows, ", ",
          weight.cols, "), y (", y.rows, ", ", y.cols, ")");
  if (x.rows < detail::few_tokens) return detail::dense_forward_few<T>(x, weight, y);
  struct Transposed;
  constexpr std::size_t piece = 64;
  const std::size_t fit = detail::transposed_numbers / std::max<std::size_t>(x.cols, 1);
  const std::size_t width = std::max(piece, fit / piece * piece);
  for (std::size_t out0 = 0; out0 < weight.rows; out0 += width) {
    const std::size_t outs = std::min(width, weight.rows - out0);
    const MatrixView<T> transposed = scratch<Transposed, T>(x.cols, outs);  // (in, outs)
    detail::for_tiles({outs, x.cols}, piece, piece, [&](const Tile& tile) {
      kernel::transpose(weight.block(out0 + tile.row, tile.col, tile.rows, tile.cols),
                        transposed.block(tile.col, tile.row, tile.cols, tile.rows));
    });
    detail::for_tiles(
        {x.rows, outs}, detail::dense_tokens, detail::dense_cols, [&](const Tile& tile) {
          const MatrixView<T> target = y.block(tile.row, out0 + tile.col, tile.rows, tile.cols);
          kernel::assign_product(
              kernel::left(x.block(tile.row, 0, tile.rows, x.cols)),
              MatrixView<const T>(transposed.block(0, tile.col, x.cols, tile.cols)), target);
        });
  }
}

/// grad_x = grad_y weight.
///
/// @param grad_y  (tokens, out)   @param weight  (out, in)   @param grad_x  (tokens, in),
/// overwritten
template <class T>
void dense_input_gradient(MatrixView<const std::type_identity_t<T>> grad_y,
                          MatrixView<const std::type_identity_t<T>> weight, MatrixView<T> grad_x) {
  expects(grad_y.cols == weight.rows && grad_x.rows == grad_y.rows && grad_x.cols == weight.cols,
          "dense_input_gradient: grad_y is (", grad_y.rows, ", ", grad_y.cols, "), weight (",
          weight.rows, ", ", weight.cols, "), grad_x (", grad_x.rows, ", ", grad_x.cols, ")");
  detail::for_tiles(
      grad_x.shape(), detail::dense_tokens, detail::dense_cols, [&](const Tile& tile) {
        const MatrixView<T> target = grad_x.block(tile);
        kernel::assign_product(kernel::left(grad_y.block(tile.row, 0, tile.rows, grad_y.cols)),
                               weight.block(0, tile.col, weight.rows, tile.cols), target);
      });
}

/// grad_x += grad_y weight: the chains of dense_input_gradient go on from grad_x. A weight that is
/// given in pieces of some outputs each, in ascending order, onto zeros, gives the same bits as in
/// one.
///
/// @param grad_y  (tokens, out)   @param weight  (out, in)   @param grad_x  (tokens, in)
template <class T>
void dense_add_input_gradient(MatrixView<const std::type_identity_t<T>> grad_y,
                              MatrixView<const std::type_identity_t<T>> weight,
                              MatrixView<T> grad_x) {
  expects(grad_y.cols == weight.rows && grad_x.rows == grad_y.rows && grad_x.cols == weight.cols,
          "dense_add_input_gradient: grad_y is (", grad_y.rows, ", ", grad_y.cols, "), weight (",
          weight.rows, ", ", weight.cols, "), grad_x (", grad_x.rows, ", ", grad_x.cols, ")");
  detail::for_tiles(
      grad_x.shape(), detail::dense_tokens, detail::dense_cols, [&](const Tile& tile) {
        kernel::multiply(kernel::left(grad_y.block(tile.row, 0, tile.rows, grad_y.cols)),
                         weight.block(0, tile.col, weight.rows, tile.cols), grad_x.block(tile));
      });
}

/// grad_weight += grad_y^T x.
///
/// @param x  (tokens, in)   @param grad_y  (tokens, out)   @param grad_weight  (out, in)
template <class T>
void dense_weight_gradient(MatrixView<const std::type_identity_t<T>> x,
                           MatrixView<const std::type_identity_t<T>> grad_y,
                           MatrixView<T> grad_weight) {
  expects(x.rows == grad_y.rows && grad_weight.rows == grad_y.cols && grad_weight.cols == x.cols,
          "dense_weight_gradient: x is (", x.rows, ", ", x.cols, "), grad_y (", grad_y.rows, ", ",
          grad_y.cols, "), grad_weight (", grad_weight.rows, ", ", grad_weight.cols, ")");
  detail::for_tiles(
      grad_weight.shape(), detail::gradient_rows, detail::gradient_cols, [&](const Tile& tile) {
        kernel::multiply(kernel::left_transposed(grad_y.block(0, tile.row, grad_y.rows, tile.rows)),
                         x.block(0, tile.col, x.rows, tile.cols), grad_weight.block(tile));
      });
}

}  // namespace lrqat

#endif  // LRQAT_LINEAR_DENSE_PRODUCT_HPP
