// SPDX-License-Identifier: MIT
// kernel/multiply.hpp: c += a b on one thread, the product under every pass of the library.
#ifndef LRQAT_KERNEL_MULTIPLY_HPP
#define LRQAT_KERNEL_MULTIPLY_HPP

#include <lrqat/core/expects.hpp>                 // expects
#include <lrqat/core/matrix_view.hpp>             // MatrixView
#include <lrqat/kernel/isa.hpp>                   // active_isa
#include <lrqat/kernel/multiply/left_factor.hpp>  // LeftFactor, left, left_transposed
#include <lrqat/kernel/multiply/scalar.hpp>       // multiply_scalar
#if LRQAT_X86
#include <lrqat/kernel/multiply/avx2.hpp>
#include <lrqat/kernel/multiply/avx512.hpp>
#elif LRQAT_ARM64
#include <lrqat/kernel/multiply/neon.hpp>
#endif

#include <algorithm>
#include <cstddef>

namespace lrqat::kernel {

namespace detail {

template <class T>
bool has_work(const LeftFactor<T>& a, const MatrixView<const T>& b, const MatrixView<T>& c) {
  expects(a.rows == c.rows && a.depth == b.rows && b.cols == c.cols, "multiply: a is (", a.rows,
          ", ", a.depth, "), b is (", b.rows, ", ", b.cols, "), c is (", c.rows, ", ", c.cols, ")");
  return a.rows != 0 && a.depth != 0 && b.cols != 0;
}

inline void fill_with_zeros(MatrixView<float> c) {
  for (std::size_t i = 0; i < c.rows; ++i) std::fill_n(c.data + i * c.stride, c.cols, 0.0f);
}

inline void product(LeftFactor<float> a, MatrixView<const float> b, MatrixView<float> c,
                    bool overwrites) {
#if LRQAT_X86
  switch (active_isa()) {
    case Isa::avx512:
      return BlockedProduct<Isa::avx512>(a, b, c, overwrites).run();
    case Isa::avx2:
      return BlockedProduct<Isa::avx2>(a, b, c, overwrites).run();
    case Isa::neon:
    case Isa::scalar:
      break;
  }
#elif LRQAT_ARM64
  if (active_isa() == Isa::neon) return BlockedProduct<Isa::neon>(a, b, c, overwrites).run();
#endif
  if (overwrites) fill_with_zeros(c);
  multiply_scalar(a, b, c);
}

}  // namespace detail

/// c (m, n) += a (m, k) b (k, n); c overlaps neither a nor b.
///
/// Each element is one chain of fused multiply-adds that starts at the old c and goes up in k:
/// the same bits on every instruction set and for every split of m and n. An empty m, n or k leaves
/// c as it is. Errors: shapes that do not fit.
inline void multiply(LeftFactor<float> a, MatrixView<const float> b, MatrixView<float> c) {
  if (detail::has_work(a, b, c)) detail::product(a, b, c, false);
}

/// c (m, n) = a b: the bits of multiply() into zeros, whatever c held.
inline void multiply_into(LeftFactor<float> a, MatrixView<const float> b, MatrixView<float> c) {
  if (detail::has_work(a, b, c))
    detail::product(a, b, c, true);
  else
    detail::fill_with_zeros(c);
}

/// The same in double, the precision of oracles: plain loops, products not necessarily fused.
inline void multiply(LeftFactor<double> a, MatrixView<const double> b, MatrixView<double> c) {
  if (detail::has_work(a, b, c)) multiply_scalar(a, b, c);
}

}  // namespace lrqat::kernel

#endif  // LRQAT_KERNEL_MULTIPLY_HPP
