// SPDX-License-Identifier: MIT
// kernel/multiply/left_factor.hpp: a matrix or its transpose, as the left operand of a product.
#ifndef LRQAT_KERNEL_MULTIPLY_LEFT_FACTOR_HPP
#define LRQAT_KERNEL_MULTIPLY_LEFT_FACTOR_HPP

#include <lrqat/core/matrix_view.hpp>  // MatrixView

#include <cstddef>

namespace lrqat::kernel {

/// Element (i, k) is data[i * row_step + k * depth_step]; steps in elements, of any size.
template <class T>
struct LeftFactor {
  const T* data = nullptr;
  std::size_t rows = 0, depth = 0, row_step = 0, depth_step = 0;

  constexpr const T* at(std::size_t i, std::size_t k) const {
    return data + i * row_step + k * depth_step;
  }
};

/// `matrix` (m, k) as a left factor.
template <class T>
LeftFactor<T> left(MatrixView<const T> matrix) {
  return {matrix.data, matrix.rows, matrix.cols, matrix.stride, 1};
}
template <class T>
LeftFactor<T> left(MatrixView<T> matrix) {
  return left(MatrixView<const T>(matrix));
}

/// The transpose of `matrix` (k, m) as a left factor (m, k); nothing is moved.
template <class T>
LeftFactor<T> left_transposed(MatrixView<const T> matrix) {
  return {matrix.data, matrix.cols, matrix.rows, 1, matrix.stride};
}
template <class T>
LeftFactor<T> left_transposed(MatrixView<T> matrix) {
  return left_transposed(MatrixView<const T>(matrix));
}

}  // namespace lrqat::kernel

#endif  // LRQAT_KERNEL_MULTIPLY_LEFT_FACTOR_HPP
