// SPDX-License-Identifier: MIT
// kernel/multiply/scalar.hpp: the product in portable C++: the oracle of the others, and double.
#ifndef LRQAT_KERNEL_MULTIPLY_SCALAR_HPP
#define LRQAT_KERNEL_MULTIPLY_SCALAR_HPP

#include <lrqat/core/config.hpp>       // LRQAT_INDEPENDENT
#include <lrqat/core/matrix_view.hpp>  // MatrixView
#include <lrqat/kernel/isa.hpp>        // Isa

#include <cstddef>

namespace lrqat::kernel {

/// A left factor: element (i, k) is data[i * row_step + k * depth_step]; steps in elements. A
/// row-major matrix has {data, rows, cols, stride, 1}, its transpose {data, cols, rows, 1, stride}.
template <class T>
struct LeftFactor {
  const T* data = nullptr;
  std::size_t rows = 0, depth = 0, row_step = 0, depth_step = 0;
};

/// run(a, b, c): c (m, n) += a (m, k) b (k, n) in float; the shapes fit, none is empty.
template <Isa>
struct multiply_kernel;

template <>
struct multiply_kernel<Isa::scalar> {
  static void run(LeftFactor<float> a, MatrixView<const float> b, MatrixView<float> c) {
    for (std::size_t i = 0; i < a.rows; ++i)
      for (std::size_t k = 0; k < a.depth; ++k) {
        const float factor = a.data[i * a.row_step + k * a.depth_step];
        const float* const from = b.data + k * b.stride;
        float* const to = c.data + i * c.stride;
        for (std::size_t j = 0; j < c.cols; ++j) to[j] = __builtin_fmaf(factor, from[j], to[j]);
      }
  }
};

/// The same in double. Products are rounded before they are added where the program's target has
/// no fused multiply-add. Four steps of the depth per sweep over a row of c.
inline void multiply_plain(LeftFactor<double> a, MatrixView<const double> b, MatrixView<double> c) {
  constexpr std::size_t lanes = 16;
  for (std::size_t i = 0; i < a.rows; ++i) {
    double* const to = c.data + i * c.stride;
    for (std::size_t k = 0; k < a.depth; k += 4) {
      const std::size_t steps = a.depth - k < 4 ? a.depth - k : 4;
      double factor[4] = {};
      const double* from[4] = {};
      for (std::size_t step = 0; step < steps; ++step) {
        factor[step] = a.data[i * a.row_step + (k + step) * a.depth_step];
        from[step] = b.data + (k + step) * b.stride;
      }
      std::size_t j = 0;
      for (; steps == 4 && j + lanes <= c.cols; j += lanes) {
        LRQAT_INDEPENDENT
        for (std::size_t lane = j; lane < j + lanes; ++lane) {
          double sum = to[lane];
          sum += factor[0] * from[0][lane];
          sum += factor[1] * from[1][lane];
          sum += factor[2] * from[2][lane];
          sum += factor[3] * from[3][lane];
          to[lane] = sum;
        }
      }
      for (; j < c.cols; ++j)
        for (std::size_t step = 0; step < steps; ++step) to[j] += factor[step] * from[step][j];
    }
  }
}

}  // namespace lrqat::kernel

#endif  // LRQAT_KERNEL_MULTIPLY_SCALAR_HPP
