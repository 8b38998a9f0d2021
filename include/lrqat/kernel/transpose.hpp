// SPDX-License-Identifier: MIT
// kernel/transpose.hpp: a matrix written the other way round.
#ifndef LRQAT_KERNEL_TRANSPOSE_HPP
#define LRQAT_KERNEL_TRANSPOSE_HPP

#include <lrqat/core/expects.hpp>      // expects
#include <lrqat/core/matrix_view.hpp>  // MatrixView

#include <cstddef>

namespace lrqat::kernel {

namespace detail {

/// Squares of 16: their 16 source rows and 16 target rows are whole cache lines of float. A square
/// goes through a buffer, so that a stride of a power of two does not throw lines out of the cache
/// before they are full.
template <class T>
void transpose_blocked(MatrixView<const T> source, MatrixView<T> target) {
  expects(source.rows == target.cols && source.cols == target.rows, "transpose: source is (",
          source.rows, ", ", source.cols, "), target is (", target.rows, ", ", target.cols, ")");
  constexpr std::size_t side = 16;
  T square[side * side];
  for (std::size_t row = 0; row < source.rows; row += side)
    for (std::size_t col = 0; col < source.cols; col += side) {
      const std::size_t rows = source.rows - row < side ? source.rows - row : side;
      const std::size_t cols = source.cols - col < side ? source.cols - col : side;
      const T* const from = source.data + row * source.stride + col;
      T* const to = target.data + col * target.stride + row;
      if (rows == side && cols == side) {
        for (std::size_t i = 0; i < side; ++i)
          for (std::size_t j = 0; j < side; ++j) square[j * side + i] = from[i * source.stride + j];
        for (std::size_t j = 0; j < side; ++j)
          for (std::size_t i = 0; i < side; ++i) to[j * target.stride + i] = square[j * side + i];
      } else {
        for (std::size_t j = 0; j < cols; ++j)
          for (std::size_t i = 0; i < rows; ++i)
            to[j * target.stride + i] = from[i * source.stride + j];
      }
    }
}

}  // namespace detail

/// target (n, m) = source (m, n) transposed; they do not overlap. Errors: shapes that do not fit.
inline void transpose(MatrixView<const float> source, MatrixView<float> target) {
  detail::transpose_blocked(source, target);
}
inline void transpose(MatrixView<const double> source, MatrixView<double> target) {
  detail::transpose_blocked(source, target);
}

}  // namespace lrqat::kernel

#endif  // LRQAT_KERNEL_TRANSPOSE_HPP
