// SPDX-License-Identifier: MIT
// nn/rms_norm.hpp: root-mean-square normalisation of each token.
#ifndef LRQAT_NN_RMS_NORM_HPP
#define LRQAT_NN_RMS_NORM_HPP

#include <lrqat/core/expects.hpp>
#include <lrqat/core/matrix_view.hpp>
#include <lrqat/core/scratch.hpp>
#include <lrqat/kernel/reduce.hpp>  // sum_over
#include <lrqat/kernel/vectorised.hpp>
#include <lrqat/nn/rows.hpp>  // for_rows

#include <cmath>
#include <cstddef>
#include <span>
#include <type_traits>

namespace lrqat {

/// y = x r weight with r = 1 / sqrt(mean(x^2) + eps), per token (Zhang and Sennrich 2019).
///
/// @param x       (tokens, dim)
/// @param weight  (dim)
/// @param y       (tokens, dim), overwritten
/// @param inverse_rms  (tokens) r, overwritten: what the backward pass needs besides x
template <class T>
void rms_norm_forward(MatrixView<const std::type_identity_t<T>> x,
                      std::span<const std::type_identity_t<T>> weight, std::type_identity_t<T> eps,
                      MatrixView<T> y, std::span<std::type_identity_t<T>> inverse_rms) {
  expects(x.shape() == y.shape() && weight.size() == x.cols && inverse_rms.size() == x.rows,
          "rms_norm_forward: x is (", x.rows, ", ", x.cols, "), y is (", y.rows, ", ", y.cols,
          "), weight has ", weight.size(), ", inverse_rms ", inverse_rms.size(), " numbers");
  for_rows(x.rows, [=](std::size_t first, std::size_t last) {
    const std::size_t dim = x.cols;
    const T* const w = weight.data();
    for (std::size_t row = first; row < last; ++row) {
      const T* const from = x.row(row).data();
      T* const to = y.row(row).data();
      const T squares =
          kernel::sum_over<T>(dim, [from](std::size_t i) { return from[i] * from[i]; });
      const T r = T(1) / std::sqrt(squares / static_cast<T>(dim) + eps);
      inverse_rms[row] = r;
      kernel::for_each_lane(dim, [=](std::size_t i) { to[i] = from[i] * r * w[i]; });
    }
  });
}

/// Adds dL/dx to grad_x and, unless grad_weight is empty, dL/dweight to grad_weight.
///
/// With h = x r: dweight = sum over tokens of grad_y h; dx = r (g - h mean(g h)), g = grad_y
/// weight.
template <class T>
void rms_norm_backward(MatrixView<const std::type_identity_t<T>> x,
                       std::span<const std::type_identity_t<T>> weight,
                       std::span<const std::type_identity_t<T>> inverse_rms,
                       MatrixView<const std::type_identity_t<T>> grad_y, MatrixView<T> grad_x,
                       std::span<std::type_identity_t<T>> grad_weight) {
  expects(x.shape() == grad_y.shape() && x.shape() == grad_x.shape() && weight.size() == x.cols &&
              inverse_rms.size() == x.rows,
          "rms_norm_backward: x is (", x.rows, ", ", x.cols, "), grad_y (", grad_y.rows, ", ",
          grad_y.cols, "), grad_x (", grad_x.rows, ", ", grad_x.cols, "), weight has ",
          weight.size(), ", inverse_rms ", inverse_rms.size(), " numbers");
  expects(grad_weight.empty() || grad_weight.size() == x.cols,
          "rms_norm_backward: grad_weight has ", grad_weight.size(), " numbers, x ", x.cols,
          " columns");
  for_rows(x.rows, [=](std::size_t first, std::size_t last) {
    const std::size_t dim = x.cols;
    const T* const w = weight.data();
    for (std::size_t row = first; row < last; ++row) {
      const T* const from = x.row(row).data();
      const T* const g = grad_y.row(row).data();
      T* const to = grad_x.row(row).data();
      const T r = inverse_rms[row];
      const T aligned =
          kernel::sum_over<T>(dim, [=](std::size_t i) { return g[i] * w[i] * from[i]; });
      const T back = aligned * r * r / static_cast<T>(dim);
      kernel::for_each_lane(dim,
                            [=](std::size_t i) { to[i] += r * (g[i] * w[i] - from[i] * back); });
    }
  });
  if (grad_weight.empty() || x.rows == 0) return;

  // One partial sum for each task of rows, added up in their order.
  struct PartialSums;
  const std::size_t tasks = (x.rows + rows_per_task - 1) / rows_per_task;
  const MatrixView<T> partial = scratch<PartialSums, T>(tasks, x.cols);
  for_rows(x.rows, [=](std::size_t first, std::size_t last) {
    T* const sum = partial.row(first / rows_per_task).data();
    for (std::size_t i = 0; i < x.cols; ++i) sum[i] = 0;
    for (std::size_t row = first; row < last; ++row) {
      const T* const from = x.row(row).data();
      const T* const g = grad_y.row(row).data();
      const T r = inverse_rms[row];
      kernel::for_each_lane(x.cols, [=](std::size_t i) { sum[i] += g[i] * from[i] * r; });
    }
  });
  for (std::size_t task = 0; task < tasks; ++task)
    for (std::size_t i = 0; i < x.cols; ++i) grad_weight[i] += partial(task, i);
}

}  // namespace lrqat

#endif  // LRQAT_NN_RMS_NORM_HPP
