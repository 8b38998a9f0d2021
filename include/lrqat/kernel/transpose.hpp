// SPDX-License-Identifier: MIT
// kernel/transpose.hpp: a matrix written the other way round.
#ifndef LRQAT_KERNEL_TRANSPOSE_HPP
#define LRQAT_KERNEL_TRANSPOSE_HPP

#include <lrqat/core/expects.hpp>             // expects
#include <lrqat/core/matrix_view.hpp>         // MatrixView
#include <lrqat/kernel/isa.hpp>               // active_isa
#include <lrqat/kernel/transpose/square.hpp>  // TransposeSquare
#if LRQAT_X86
#include <lrqat/kernel/transpose/avx2.hpp>
#include <lrqat/kernel/transpose/avx512.hpp>
#elif LRQAT_ARM64
#include <lrqat/kernel/transpose/neon.hpp>
#endif

#include <cstddef>

namespace lrqat::kernel {

namespace detail {

template <class Square, class T>
void transpose_in_squares(MatrixView<const T> source, MatrixView<T> target) {
  constexpr std::size_t side = Square::side;
  for (std::size_t row = 0; row < source.rows; row += side)
    for (std::size_t col = 0; col < source.cols; col += side) {
      const std::size_t rows = source.rows - row < side ? source.rows - row : side;
      const std::size_t cols = source.cols - col < side ? source.cols - col : side;
      const T* const from = source.data + row * source.stride + col;
      T* const to = target.data + col * target.stride + row;
      if (rows == side && cols == side) {
        Square::run(from, source.stride, to, target.stride);
      } else {
        for (std::size_t j = 0; j < cols; ++j)
          for (std::size_t i = 0; i < rows; ++i)
            to[j * target.stride + i] = from[i * source.stride + j];
      }
    }
}

template <class T>
void expect_transposed_shapes(Shape source, MatrixView<T> target) {
  expects(source.rows == target.cols && source.cols == target.rows, "transpose: source is (",
          source.rows, ", ", source.cols, "), target is (", target.rows, ", ", target.cols, ")");
}

}  // namespace detail

/// target (n, m) = source (m, n) transposed; they do not overlap. Errors: shapes that do not fit.
inline void transpose(MatrixView<const float> source, MatrixView<float> target) {
  detail::expect_transposed_shapes(source.shape(), target);
#if LRQAT_X86
  const Isa isa = active_isa();
  if (isa == Isa::avx512)
    return detail::transpose_in_squares<TransposeSquare<Isa::avx512, float>>(source, target);
  if (isa == Isa::avx2)
    return detail::transpose_in_squares<TransposeSquare<Isa::avx2, float>>(source, target);
#elif LRQAT_ARM64
  if (active_isa() == Isa::neon)
    return detail::transpose_in_squares<TransposeSquare<Isa::neon, float>>(source, target);
#endif
  detail::transpose_in_squares<TransposeSquare<Isa::scalar, float>>(source, target);
}
inline void transpose(MatrixView<const double> source, MatrixView<double> target) {
  detail::expect_transposed_shapes(source.shape(), target);
  detail::transpose_in_squares<TransposeSquare<Isa::scalar, double>>(source, target);
}

}  // namespace lrqat::kernel

#endif  // LRQAT_KERNEL_TRANSPOSE_HPP
