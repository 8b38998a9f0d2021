// SPDX-License-Identifier: MIT
// nn/squared_distance.hpp: how far two activations are apart.
#ifndef LRQAT_NN_SQUARED_DISTANCE_HPP
#define LRQAT_NN_SQUARED_DISTANCE_HPP

#include <lrqat/core/expects.hpp>
#include <lrqat/core/matrix_view.hpp>
#include <lrqat/kernel/reduce.hpp>  // sum_over
#include <lrqat/kernel/vectorised.hpp>
#include <lrqat/nn/rows.hpp>  // for_rows

#include <cstddef>
#include <type_traits>
#include <vector>

namespace lrqat {

namespace detail {

/// The sum of the squares of differences; use(row, own row, wanted row) comes after each row.
template <class T, class Use>
double squared_distance(MatrixView<const T> own, MatrixView<const T> wanted, const Use& use) {
  expects(own.shape() == wanted.shape(), "squared_distance: (", own.rows, ", ", own.cols,
          ") from (", wanted.rows, ", ", wanted.cols, ")");
  std::vector<double> sums((own.rows + rows_per_task - 1) / rows_per_task);
  for_rows(own.rows, [&use, own, wanted, into = sums.data()](std::size_t first, std::size_t last) {
    double sum = 0;
    for (std::size_t row = first; row < last; ++row) {
      const T* const a = own.row(row).data();
      const T* const b = wanted.row(row).data();
      sum += kernel::sum_over<double>(own.cols, [=](std::size_t i) {
        const double apart = static_cast<double>(a[i] - b[i]);
        return apart * apart;
      });
      use(row, a, b);
    }
    into[first / rows_per_task] = sum;
  });
  double sum = 0;
  for (const double part : sums) sum += part;
  return sum;
}

}  // namespace detail

/// The sum of (own - wanted)^2. Bits do not depend on the number of threads.
/// Errors of both: different shapes.
template <class T>
double squared_distance(MatrixView<const std::type_identity_t<T>> own,
                        MatrixView<const std::type_identity_t<T>> wanted) {
  return detail::squared_distance<T>(own, wanted, [](std::size_t, const T*, const T*) {});
}

/// The same; adds `factor` times its gradients with respect to `own` to `grad`.
template <class T>
double add_squared_distance(MatrixView<const std::type_identity_t<T>> own,
                            MatrixView<const std::type_identity_t<T>> wanted, double factor,
                            MatrixView<T> grad) {
  expects(grad.shape() == own.shape(), "add_squared_distance: (", own.rows, ", ", own.cols,
          ") has a gradient of (", grad.rows, ", ", grad.cols, ")");
  const T each = static_cast<T>(2 * factor);
  return detail::squared_distance<T>(
      own, wanted, [grad, each](std::size_t row, const T* a, const T* b) {
        T* const g = grad.row(row).data();
        kernel::for_each_lane(grad.cols, [=](std::size_t i) { g[i] += each * (a[i] - b[i]); });
      });
}

}  // namespace lrqat

#endif  // LRQAT_NN_SQUARED_DISTANCE_HPP
