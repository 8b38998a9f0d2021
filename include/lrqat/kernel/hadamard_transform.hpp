// SPDX-License-Identifier: MIT
// kernel/hadamard_transform.hpp: rows of any length times a Hadamard matrix.
#ifndef LRQAT_KERNEL_HADAMARD_TRANSFORM_HPP
#define LRQAT_KERNEL_HADAMARD_TRANSFORM_HPP

#include <lrqat/core/expects.hpp>
#include <lrqat/core/matrix_view.hpp>
#include <lrqat/core/scratch.hpp>
#include <lrqat/kernel/hadamard_order.hpp>
#include <lrqat/kernel/vectorised.hpp>
#include <lrqat/kernel/walsh_hadamard.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>

namespace lrqat::kernel {

/// In place, for each block x of order.size() elements of each row: x H, in Sylvester's part by
/// walsh_hadamard, then by order.paley^2 additions for each of its elements, always in the same
/// order. 1 / sqrt(order.size()) times H is orthogonal. Errors: a size that does not divide the
/// columns.
template <std::floating_point T>
void hadamard_transform(MatrixView<T> rows, HadamardOrder order) {
  const std::size_t n = order.size(), p = order.paley, s = order.sylvester;
  expects(n > 0 && rows.cols % n == 0, "hadamard_transform: an order of ", n, " for rows of ",
          rows.cols);
  walsh_hadamard(rows, s);
  if (p == 1) return;
  const auto signs = scratch<struct signs_slot, T>(p, p);
  for (std::size_t i = 0; i < p; ++i)
    for (std::size_t j = 0; j < p; ++j) signs(i, j) = static_cast<T>(detail::paley_entry(p, i, j));
  const auto mixed = scratch<struct mixed_slot, T>(p, s);
  for (std::size_t row = 0; row < rows.rows; ++row)
    for (std::size_t first = 0; first < rows.cols; first += n) {
      T* const x = rows.data + row * rows.stride + first;
      std::fill_n(mixed.data, n, T(0));
      vectorised([=] {
        for (std::size_t j = 0; j < p; ++j)
          for (std::size_t i = 0; i < p; ++i)
            for_each_lane(s, [sign = signs(i, j), from = x + i * s,
                              sums = mixed.data + j * s](std::size_t k) {
              sums[k] += sign * from[k];  // the product is exact
            });
      });
      std::copy_n(mixed.data, n, x);
    }
}

}  // namespace lrqat::kernel

#endif  // LRQAT_KERNEL_HADAMARD_TRANSFORM_HPP
