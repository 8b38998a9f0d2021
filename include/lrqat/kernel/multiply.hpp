// SPDX-License-Identifier: MIT
// kernel/multiply.hpp: c += a b on one thread, the product under every pass of the library.
#ifndef LRQAT_KERNEL_MULTIPLY_HPP
#define LRQAT_KERNEL_MULTIPLY_HPP
// CONTRACT (to be implemented)
namespace lrqat::kernel {

/// A left factor: element (i, k) is data[i * row_step + k * depth_step]; steps in elements. A
/// row-major matrix has {data, stride, 1}, its transpose {data, 1, stride}.
template <class T>
struct LeftFactor { const T* data; std::size_t rows, depth, row_step, depth_step; };

/// c (m, n) += a (m, k) b (k, n).
///
/// Each element is one chain of fused multiply-adds that starts at the old c and goes up in k:
/// the same bits on every instruction set, blocking and thread count. n = 0, m = 0 or k = 0: no-op.
void multiply(LeftFactor<float> a, MatrixView<const float> b, MatrixView<float> c);
void multiply(LeftFactor<double> a, MatrixView<const double> b, MatrixView<double> c);

/// target (n, m) = source (m, n) transposed.
void transpose(MatrixView<const float> source, MatrixView<float> target);
}
#endif
