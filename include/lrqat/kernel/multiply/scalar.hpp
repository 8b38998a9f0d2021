// SPDX-License-Identifier: MIT
// kernel/multiply/scalar.hpp: the product in portable C++: the oracle of the others, and double.
#ifndef LRQAT_KERNEL_MULTIPLY_SCALAR_HPP
#define LRQAT_KERNEL_MULTIPLY_SCALAR_HPP

#include <lrqat/core/config.hpp>                  // LRQAT_INDEPENDENT
#include <lrqat/core/matrix_view.hpp>             // MatrixView
#include <lrqat/core/numeric.hpp>                 // fused_multiply_add
#include <lrqat/kernel/multiply/left_factor.hpp>  // LeftFactor

#include <cstddef>

namespace lrqat::kernel {

/// c (m, n) += a (m, k) b (k, n), each element one ascending chain of fused multiply-adds.
inline void multiply_scalar(LeftFactor<float> a, MatrixView<const float> b, MatrixView<float> c) {
  for (std::size_t i = 0; i < a.rows; ++i)
    for (std::size_t k = 0; k < a.depth; ++k) {
      const float factor = *a.at(i, k);
      const float* const from = b.data + k * b.stride;
      float* const to = c.data + i * c.stride;
      for (std::size_t j = 0; j < c.cols; ++j) to[j] = fused_multiply_add(factor, from[j], to[j]);
    }
}

/// The same in double, with a product and a sum where the program's target has no fused
/// instruction. A sweep over a row of c takes four steps of the depth.
inline void multiply_scalar(LeftFactor<double> a, MatrixView<const double> b,
                            MatrixView<double> c) {
  constexpr std::size_t lanes = 16;
  for (std::size_t i = 0; i < a.rows; ++i) {
    double* const to = c.data + i * c.stride;
    for (std::size_t k = 0; k < a.depth; k += 4) {
      const std::size_t steps = a.depth - k < 4 ? a.depth - k : 4;
      double factor[4] = {};
      const double* from[4] = {};
      for (std::size_t step = 0; step < steps; ++step) {
        factor[step] = *a.at(i, k + step);
        from[step] = b.data + (k + step) * b.stride;
      }
      std::size_t j = 0;
      for (; steps == 4 && j + lanes <= c.cols; j += lanes) {
        LRQAT_INDEPENDENT
        for (std::size_t lane = 0; lane < lanes; ++lane) {
          double sum = to[j + lane];
          sum += factor[0] * from[0][j + lane];
          sum += factor[1] * from[1][j + lane];
          sum += factor[2] * from[2][j + lane];
          sum += factor[3] * from[3][j + lane];
          to[j + lane] = sum;
        }
      }
      for (; j < c.cols; ++j)
        for (std::size_t step = 0; step < steps; ++step) to[j] += factor[step] * from[step][j];
    }
  }
}

}  // namespace lrqat::kernel

#endif  // LRQAT_KERNEL_MULTIPLY_SCALAR_HPP
