// SPDX-License-Identifier: MIT
// kernel/multiply.hpp: c += a b on one thread, the product under every pass of the library.
#ifndef LRQAT_KERNEL_MULTIPLY_HPP
#define LRQAT_KERNEL_MULTIPLY_HPP

#include <lrqat/core/expects.hpp>            // expects
#include <lrqat/core/matrix_view.hpp>        // MatrixView
#include <lrqat/kernel/isa.hpp>              // active_isa
#include <lrqat/kernel/multiply/scalar.hpp>  // LeftFactor, multiply_kernel

#include <cstddef>

namespace lrqat::kernel {

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

namespace detail {

template <class T>
bool has_work(const LeftFactor<T>& a, const MatrixView<const T>& b, const MatrixView<T>& c) {
  expects(a.rows == c.rows && a.depth == b.rows && b.cols == c.cols, "multiply: a is (", a.rows,
          ", ", a.depth, "), b is (", b.rows, ", ", b.cols, "), c is (", c.rows, ", ", c.cols, ")");
  return a.rows != 0 && a.depth != 0 && b.cols != 0;
}

}  // namespace detail

/// c (m, n) += a (m, k) b (k, n); c overlaps neither a nor b.
///
/// Each element is one chain of fused multiply-adds that starts at the old c and goes up in k:
/// the same bits on every instruction set and for every split of m and n. An empty m, n or k leaves
/// c as it is. Errors: shapes that do not fit.
inline void multiply(LeftFactor<float> a, MatrixView<const float> b, MatrixView<float> c) {
  if (!detail::has_work(a, b, c)) return;
  multiply_kernel<Isa::scalar>::run(a, b, c);
}

/// The same in double, the precision of oracles: plain loops, products not necessarily fused.
inline void multiply(LeftFactor<double> a, MatrixView<const double> b, MatrixView<double> c) {
  if (detail::has_work(a, b, c)) multiply_plain(a, b, c);
}

}  // namespace lrqat::kernel

#endif  // LRQAT_KERNEL_MULTIPLY_HPP
