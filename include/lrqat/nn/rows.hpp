// SPDX-License-Identifier: MIT
// nn/rows.hpp: work on the rows of an activation, spread over threads.
#ifndef LRQAT_NN_ROWS_HPP
#define LRQAT_NN_ROWS_HPP

#include <lrqat/backend/parallel_for.hpp>
#include <lrqat/core/aligned.hpp>
#include <lrqat/core/expects.hpp>
#include <lrqat/core/matrix_view.hpp>
#include <lrqat/kernel/vectorised.hpp>

#include <algorithm>
#include <cstddef>
#include <type_traits>

namespace lrqat {

/// Rows of an activation that one task handles; sums over tokens are cut at its multiples.
inline constexpr std::size_t rows_per_task = 64;

/// Calls body(first, last) for neighbouring ranges that cover [0, rows), on several threads, each
/// compiled for the instruction set in use (kernel::vectorised).
template <class Body>
void for_rows(std::size_t rows, Body&& body) {
  parallel_for((rows + rows_per_task - 1) / rows_per_task, [&](std::size_t task) {
    const std::size_t first = task * rows_per_task;
    const std::size_t last = first + rows_per_task < rows ? first + rows_per_task : rows;
    kernel::vectorised([&body, first, last] { body(first, last); });
  });
}

/// target = source. Errors: different shapes.
template <class T>
void copy_to(MatrixView<const std::type_identity_t<T>> source, MatrixView<T> target) {
  expects(source.shape() == target.shape(), "copy_to: (", source.rows, ", ", source.cols,
          ") copied to (", target.rows, ", ", target.cols, ")");
  for_rows(source.rows, [=](std::size_t first, std::size_t last) {
    for (std::size_t row = first; row < last; ++row)
      std::copy_n(source.row(row).data(), source.cols, target.row(row).data());
  });
}

/// target += source. Errors: different shapes.
template <class T>
void add_to(MatrixView<const std::type_identity_t<T>> source, MatrixView<T> target) {
  expects(source.shape() == target.shape(), "add_to: (", source.rows, ", ", source.cols,
          ") added to (", target.rows, ", ", target.cols, ")");
  for_rows(source.rows, [=](std::size_t first, std::size_t last) {
    for (std::size_t row = first; row < last; ++row) {
      const T* const from = source.row(row).data();
      T* const to = target.row(row).data();
      kernel::for_each_lane(source.cols, [=](std::size_t i) { to[i] += from[i]; });
    }
  });
}

/// Matrix memory that only grows: what a model keeps between calls.
template <class T>
class Buffer {
 public:
  /// A (rows, cols) matrix; contents undefined, valid until the next call.
  MatrixView<T> shaped(std::size_t rows, std::size_t cols) {
    if (values_.size() < rows * cols) values_.resize(rows * cols);
    return {values_.data(), rows, cols};
  }
  std::size_t bytes() const { return values_.capacity() * sizeof(T); }

 private:
  AlignedVector<T> values_;
};

}  // namespace lrqat

#endif  // LRQAT_NN_ROWS_HPP
