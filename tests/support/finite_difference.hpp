// SPDX-License-Identifier: MIT
// tests/support/finite_difference.hpp: gradients held against central differences in double.
#ifndef LRQAT_TESTS_SUPPORT_FINITE_DIFFERENCE_HPP
#define LRQAT_TESTS_SUPPORT_FINITE_DIFFERENCE_HPP

#include <lrqat/core/matrix_view.hpp>
#include <lrqat/core/rng.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace lrqat::test {

/// A matrix of float or double that owns its numbers.
template <class T>
struct Tensor {
  std::vector<T> values;
  std::size_t rows, cols;

  Tensor(std::size_t row_count, std::size_t col_count, T value = T(0))
      : values(row_count * col_count, value), rows(row_count), cols(col_count) {}
  /// Standard normal numbers, `scale` wide.
  Tensor(std::size_t row_count, std::size_t col_count, std::uint64_t seed, double scale)
      : Tensor(row_count, col_count) {
    const CounterRng random(seed, 0);
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] = static_cast<T>(scale * static_cast<double>(random.normal(i)));
  }
  MatrixView<T> view() { return {values.data(), rows, cols}; }
  MatrixView<const T> view() const { return {values.data(), rows, cols}; }
};

inline double dot(std::span<const double> a, std::span<const double> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

/// How far `gradient` is from the central difference of `loss` in the worst of `values` (every
/// `stride`-th is tried), as a multiple of what the difference itself may be wrong by; at most 1
/// for a right gradient.
///
/// D(h) = (f(x + h) - f(x - h)) / 2h is wrong by h^2 f'''/6 + ..., about a third of |D(2h) - D(h)|,
/// and by the rounding of f, taken as `roundings` units of |f|, divided by h.
template <class Loss>
double worst_gradient_error(Loss&& loss, std::span<double> values, std::span<const double> gradient,
                            std::size_t stride = 1, double roundings = 64) {
  constexpr double h = 1e-4;
  double worst = gradient.size() == values.size() ? 0 : std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < values.size() && std::isfinite(worst); i += stride) {
    const double before = values[i];
    const auto at = [&](double x) {
      values[i] = x;
      const double f = loss();
      values[i] = before;
      return f;
    };
    const double near_high = at(before + h), near_low = at(before - h);
    const double difference = (near_high - near_low) / (2 * h);
    const double wide = (at(before + 2 * h) - at(before - 2 * h)) / (4 * h);
    const double size = std::max({1.0, std::abs(near_high), std::abs(near_low)});
    const double rounding = roundings * std::numeric_limits<double>::epsilon() * size / h;
    const double error = std::abs(difference - gradient[i]);
    const double ratio = error / (std::abs(wide - difference) + rounding);
    worst = std::isnan(ratio) ? std::numeric_limits<double>::infinity() : std::max(worst, ratio);
  }
  return worst;
}

}  // namespace lrqat::test

#endif  // LRQAT_TESTS_SUPPORT_FINITE_DIFFERENCE_HPP
