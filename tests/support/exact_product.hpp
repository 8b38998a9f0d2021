// SPDX-License-Identifier: MIT
// tests/support/exact_product.hpp: how far a sum of products in float can be from the exact one.
#ifndef LRQAT_TESTS_SUPPORT_EXACT_PRODUCT_HPP
#define LRQAT_TESTS_SUPPORT_EXACT_PRODUCT_HPP

#include <support/matrix.hpp>

#include <cmath>
#include <cstddef>
#include <span>

namespace lrqat::test {

/// A sum of products in double. In float, in any order, with fused multiply-adds or not, n of them
/// are off by at most n 2^-24 sum |a b| (Jeannerod and Rump, Improved error bounds for inner
/// products, 2013).
struct ExactSum {
  double value = 0, size = 0;
  std::size_t count = 0;

  void add(double a, double b) {
    value += a * b;
    size += std::fabs(a * b);
    ++count;
  }
  double bound() const { return static_cast<double>(count) * 0x1p-24 * size; }
  bool is_near(double found) const { return std::fabs(found - value) <= bound(); }
};

inline ExactSum exact_dot(std::span<const float> a, std::span<const float> b) {
  ExactSum sum;
  for (std::size_t j = 0; j < a.size(); ++j)
    sum.add(static_cast<double>(a[j]), static_cast<double>(b[j]));
  return sum;
}

inline Matrix transposed(const Matrix& a) {
  Matrix t(a.cols, a.rows);
  for (std::size_t i = 0; i < a.rows; ++i)
    for (std::size_t j = 0; j < a.cols; ++j) t(j, i) = a(i, j);
  return t;
}

/// Entries of `found` (a.rows, b.rows) that are no a b^T made in float.
inline std::size_t far_from_product(const Matrix& a, const Matrix& b, const Matrix& found) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < a.rows; ++i)
    for (std::size_t j = 0; j < b.rows; ++j)
      count += !exact_dot(a.view().row(i), b.view().row(j)).is_near(double{found(i, j)});
  return count;
}

}  // namespace lrqat::test

#endif  // LRQAT_TESTS_SUPPORT_EXACT_PRODUCT_HPP
