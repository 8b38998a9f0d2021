// SPDX-License-Identifier: MIT
// kernel/clear.hpp: zeros, where a sum of products is about to start.
#ifndef LRQAT_KERNEL_CLEAR_HPP
#define LRQAT_KERNEL_CLEAR_HPP

#include <lrqat/core/matrix_view.hpp>
#include <lrqat/kernel/multiply.hpp>  // multiply, multiply_into
#include <lrqat/kernel/vectorised.hpp>

#include <cstddef>
#include <type_traits>

namespace lrqat::kernel {

/// Sets every element to 0. For tiles that lie in a near cache: written as vector stores, because
/// gcc makes of std::fill a `rep stos`, whose start alone costs more than a row of a tile.
template <class T>
void clear(MatrixView<T> matrix) {
  vectorised([=] {
    const bool whole = matrix.stride == matrix.cols;
    const std::size_t rows = whole ? 1 : matrix.rows;
    const std::size_t cols = whole ? matrix.rows * matrix.cols : matrix.cols;
    for (std::size_t row = 0; row < rows; ++row) {
      T* const values = matrix.data + row * matrix.stride;
      for_each_lane(cols, [=](std::size_t i) { values[i] = 0; });
    }
  });
}

/// c (m, n) = a b in any scalar: multiply_into where there is one, otherwise a sum on zeros.
template <class T>
void assign_product(LeftFactor<T> a, MatrixView<const std::type_identity_t<T>> b,
                    MatrixView<std::type_identity_t<T>> c) {
  if constexpr (std::is_same_v<T, float>) {
    multiply_into(a, b, c);
  } else {
    clear(c);
    multiply(a, b, c);
  }
}

}  // namespace lrqat::kernel

#endif  // LRQAT_KERNEL_CLEAR_HPP
