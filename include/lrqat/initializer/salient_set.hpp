// SPDX-License-Identifier: MIT
// initializer/salient_set.hpp: which weights of a layer are too important for few bits.
#ifndef LRQAT_INITIALIZER_SALIENT_SET_HPP
#define LRQAT_INITIALIZER_SALIENT_SET_HPP

#include <lrqat/concept/grid.hpp>
#include <lrqat/core/expects.hpp>
#include <lrqat/core/matrix_view.hpp>
#include <lrqat/initializer/min_max.hpp>
#include <lrqat/initializer/weight_on_grid.hpp>
#include <lrqat/salient/weight_set.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace lrqat {

namespace detail {

/// The nearest whole number of weights to fraction * all.
inline std::size_t count_of_fraction(const char* who, double fraction, std::size_t all) {
  expects(fraction >= 0 && fraction <= 1, who, ": a fraction of ", fraction,
          " of the weights is outside 0 .. 1");
  return static_cast<std::size_t>(std::llround(fraction * static_cast<double>(all)));
}

/// Marks the `count` numbers that come first in the order of `before`; of equal ones those that are
/// asked for first, in `places`.
/// @param places  indices into `values` and `marks`
template <class Before>
void mark_first(std::span<const double> values, std::span<const std::size_t> places,
                std::size_t count, Before before, std::vector<std::uint8_t>& marks) {
  if (count == 0) return;
  std::vector<double> sorted;
  sorted.reserve(places.size());
  for (const std::size_t place : places) sorted.push_back(values[place]);
  const auto last = sorted.begin() + static_cast<std::ptrdiff_t>(count - 1);
  std::nth_element(sorted.begin(), last, sorted.end(), before);
  const double threshold = *last;
  std::size_t equal = count;
  for (const double value : sorted) equal -= before(value, threshold);
  for (const std::size_t place : places) {
    const bool is_beyond = before(values[place], threshold);
    const bool is_taken = !is_beyond && values[place] == threshold && equal > 0;
    equal -= is_taken;
    if (is_beyond || is_taken) marks[place] = 1;
  }
}

inline WeightSet marked(Shape shape, const std::vector<std::uint8_t>& marks) {
  return WeightSet(shape,
                   [&](std::size_t i, std::size_t j) { return marks[i * shape.cols + j] != 0; });
}

}  // namespace detail

/// PB-LLM's choice by magnitude for training (Shang et al., arXiv 2310.00034): of all weights of
/// the layer half of the fraction from the low end and half from the high end, rounded to whole
/// weights; an odd one is from the high end. Of equal weights the first in row-major order at the
/// low end and the last at the high end, where the published code takes none or all.
/// @throws Error when the weight is empty or not finite or the fraction outside 0 .. 1
inline WeightSet salient_by_magnitude(MatrixView<const float> weight, double fraction) {
  detail::expect_finite("salient_by_magnitude", weight);
  const std::size_t all = weight.rows * weight.cols;
  const std::size_t count = detail::count_of_fraction("salient_by_magnitude", fraction, all);
  std::vector<double> values(all);
  std::vector<std::size_t> places(all);
  for (std::size_t n = 0; n < all; ++n) {
    values[n] = static_cast<double>(weight(n / weight.cols, n % weight.cols));
    places[n] = n;
  }
  std::vector<std::uint8_t> marks(all);
  detail::mark_first(values, places, count / 2, std::less<>(), marks);
  std::reverse(places.begin(), places.end());
  detail::mark_first(values, places, count - count / 2, std::greater<>(), marks);
  return detail::marked(weight.shape(), marks);
}

/// What the salient weights of each row share on grid G: the range of those that are in the set.
/// The published code takes that of the whole row, asymmetric.
/// @throws Error when the weight is empty, not finite or of another shape
template <Grid G>
std::vector<QParams> salient_scales(const WeightSet& set, MatrixView<const float> weight) {
  detail::expect_finite("salient_scales", weight);
  expects(set.shape() == weight.shape(), "salient_scales: a set of (", set.shape().rows, ", ",
          set.shape().cols, ") and a weight of (", weight.rows, ", ", weight.cols, ")");
  std::vector<QParams> rows(weight.rows, QParams{scale_floor});
  std::vector<float> values;
  for (std::size_t i = 0; i < weight.rows; ++i) {
    values.clear();
    for (const std::uint32_t j : set.row(i)) values.push_back(weight(i, j));
    if (!values.empty())
      rows[i] = detail::checked_choice("salient_scales",
                                       MinMax::choose<G>(std::span<const float>(values)));
  }
  return rows;
}

}  // namespace lrqat

#endif  // LRQAT_INITIALIZER_SALIENT_SET_HPP
