// SPDX-License-Identifier: MIT
// initializer/weight_on_grid.hpp: a weight that lies on a grid, and how far its outputs are off.
#ifndef LRQAT_INITIALIZER_WEIGHT_ON_GRID_HPP
#define LRQAT_INITIALIZER_WEIGHT_ON_GRID_HPP

#include <lrqat/backend/parallel_for.hpp>
#include <lrqat/concept/granularity.hpp>
#include <lrqat/concept/grid.hpp>
#include <lrqat/concept/initializer.hpp>
#include <lrqat/core/aligned.hpp>
#include <lrqat/core/expects.hpp>
#include <lrqat/core/matrix_view.hpp>
#include <lrqat/core/scratch.hpp>
#include <lrqat/granularity/per_channel.hpp>
#include <lrqat/initializer/input_statistics.hpp>
#include <lrqat/initializer/min_max.hpp>
#include <lrqat/initializer/on_grid.hpp>
#include <lrqat/initializer/weight_rows.hpp>
#include <lrqat/kernel/multiply.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace lrqat {

/// What a post-training method gives: weights that are levels of a grid times scales, and these
/// scales. A layer of the same grid and granularity starts from them as
/// `QuantLinear<G, Gran, ...>(found.weight(), found.qparams, options)`, with an adapter or without:
/// its first W_hat is found.weight() to the bit, whatever its storage, where its scales are kept in
/// float32.
struct WeightOnGrid {
  Shape shape;                  // (out, in)
  AlignedVector<float> values;  // (out, in)
  std::vector<QParams> qparams; // in the order of the granularity's layout

  MatrixView<const float> weight() const { return {values.data(), shape.rows, shape.cols}; }
};

namespace detail {

/// A choice that a layer takes as it is. Errors: a scale that is not finite.
inline QParams checked_choice(const char* who, QParams chosen) {
  expects(std::isfinite(chosen.scale), who, ": the scale of a group is ", chosen.scale,
          "; its weights are too large for float32");
  chosen.scale = std::max(chosen.scale, scale_floor);
  if (chosen.step > 0) chosen.step = std::max(chosen.step, scale_floor);
  return chosen;
}

inline void expect_finite(const char* who, MatrixView<const float> weight) {
  expects(weight.rows > 0 && weight.cols > 0, who, ": the weight (out, in) is empty: (",
          weight.rows, ", ", weight.cols, ")");
  for (std::size_t i = 0; i < weight.rows; ++i)
    for (std::size_t j = 0; j < weight.cols; ++j)
      expects(std::isfinite(weight(i, j)), who, ": weight (", i, ", ", j, ") is not finite");
}

inline void expect_inputs(const char* who, MatrixView<const float> weight, std::size_t inputs) {
  expects(weight.cols == inputs, who, ": the weight (", weight.rows, ", ", weight.cols,
          ") meets statistics of ", inputs, " inputs");
}

}  // namespace detail

/// Every weight to the nearest level of its group's scale (RTN): the baseline of all the others,
/// and where QuantLinear starts without them.
/// Errors: a weight that is empty or not finite; a shape that does not fit the granularity.
template <Grid G, Granularity Gran = PerChannel, InitializerOf<G> I = MinMax>
WeightOnGrid round_to_nearest(MatrixView<const float> weight, const QuantOptions& options = {}) {
  detail::expect_finite("round_to_nearest", weight);
  const ScaleLayout layout = Gran::layout(weight.shape(), options);
  WeightOnGrid found{weight.shape(), AlignedVector<float>(weight.rows * weight.cols),
                     chosen_by_group(weight.shape(), RowsOf{weight}, layout,
                                     [](std::span<const float> group) {
                                       return detail::checked_choice(
                                           "round_to_nearest", I::template choose<G>(group));
                                     })};
  parallel_for(weight.rows, [&](std::size_t row) {
    for (std::size_t j = 0; j < weight.cols; ++j)
      found.values[row * weight.cols + j] =
          on_grid<G>(weight(row, j), found.qparams[layout.index(row, j)]);
  });
  return found;
}

/// Mean over the tokens of |W x - W_hat x|^2, from their Gram matrix: the error that calibrated
/// methods make small. Sums go up in float within a row of E H and in double beyond; E = W - W_hat.
/// Errors: shapes that do not fit; no tokens, or no Gram matrix.
inline double output_error(MatrixView<const float> weight, MatrixView<const float> weight_hat,
                           const InputStatistics& inputs) {
  expects(weight.shape() == weight_hat.shape(), "output_error: weights of (", weight.rows, ", ",
          weight.cols, ") and (", weight_hat.rows, ", ", weight_hat.cols, ")");
  detail::expect_inputs("output_error", weight, inputs.in_features());
  const MatrixView<const double> gram = inputs.gram();
  const std::size_t in = weight.cols;
  const MatrixView<float> moments = scratch<struct moments_slot>(in, in);  // mean of x x^T
  const double each = 1 / static_cast<double>(inputs.tokens());
  parallel_for(in, [&](std::size_t i) {
    for (std::size_t j = 0; j < in; ++j) moments(i, j) = static_cast<float>(gram(i, j) * each);
  });
  constexpr std::size_t rows = 32;
  std::vector<double> errors(weight.rows);
  parallel_for((weight.rows + rows - 1) / rows, [&](std::size_t task) {
    const std::size_t first = task * rows, count = std::min(rows, weight.rows - first);
    const MatrixView<float> off = scratch<struct off_slot>(count, in);
    const MatrixView<float> seen = scratch<struct seen_slot>(count, in);
    for (std::size_t i = 0; i < count; ++i)
      for (std::size_t j = 0; j < in; ++j)
        off(i, j) = weight(first + i, j) - weight_hat(first + i, j);
    kernel::multiply_into(kernel::left(off), MatrixView<const float>(moments), seen);
    for (std::size_t i = 0; i < count; ++i)
      for (std::size_t j = 0; j < in; ++j)
        errors[first + i] += static_cast<double>(off(i, j)) * static_cast<double>(seen(i, j));
  });
  double sum = 0;
  for (const double error : errors) sum += error;
  return sum;
}

}  // namespace lrqat

#endif  // LRQAT_INITIALIZER_WEIGHT_ON_GRID_HPP
