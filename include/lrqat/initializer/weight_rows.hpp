// SPDX-License-Identifier: MIT
// initializer/weight_rows.hpp: a weight as a source of rows, and the scales of such a weight.
#ifndef LRQAT_INITIALIZER_WEIGHT_ROWS_HPP
#define LRQAT_INITIALIZER_WEIGHT_ROWS_HPP

#include <lrqat/backend/parallel_for.hpp>
#include <lrqat/concept/granularity.hpp>
#include <lrqat/concept/grid.hpp>
#include <lrqat/concept/initializer.hpp>
#include <lrqat/concept/input_quantizer.hpp>
#include <lrqat/concept/transform.hpp>
#include <lrqat/core/expects.hpp>
#include <lrqat/core/matrix_view.hpp>
#include <lrqat/core/scratch.hpp>
#include <lrqat/salient/no_salient.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <type_traits>
#include <vector>

namespace lrqat {

// clang-format off
/// rows(row, values) writes row `row` (in) of a weight (out, in). It is asked for rows in any order,
/// more than once, and from several threads at once, and gives the same numbers each time.
template <class R>
concept WeightRows = requires(const R& rows, std::size_t row, std::span<float> values) {
  rows(row, values);
};
// clang-format on

/// The rows of a matrix in memory, which must outlive them.
struct RowsOf {
  MatrixView<const float> weight;
  void operator()(std::size_t row, std::span<float> values) const {
    std::copy_n(weight.row(row).data(), values.size(), values.data());
  }
};
static_assert(WeightRows<RowsOf>);

/// The shape (out, in) itself. @throws Error when it is empty
inline Shape checked_shape(Shape weight) {
  expects(weight.rows > 0 && weight.cols > 0, "QuantLinear: the weight (out, in) is empty: (",
          weight.rows, ", ", weight.cols, ")");
  return weight;
}

/// Writes row `row` into `values` (in). @throws Error when it is not finite
template <WeightRows Rows>
void write_checked_row(const Rows& rows, std::size_t row, std::span<float> values) {
  rows(row, values);
  for (std::size_t j = 0; j < values.size(); ++j)
    expects(std::isfinite(values[j]), "QuantLinear: weight (", row, ", ", j, ") is not finite");
}

/// A row (in) in this thread's scratch, until the next one. @throws Error when it is not finite
template <WeightRows Rows>
std::span<const float> checked_row(const Rows& rows, std::size_t row, std::size_t in) {
  const std::span<float> values = scratch<struct weight_row_slot>(1, in).row(0);
  write_checked_row(rows, row, values);
  return values;
}

/// The rows of W0 T^-1, for a weight whose inputs are transformed by T.
template <Transform T, WeightRows Rows>
struct TransformedRows {
  const Rows& rows;
  void operator()(std::size_t row, std::span<float> values) const {
    write_checked_row(rows, row, values);
    T::apply_to_weight(values);
  }
};

/// The rows in the basis in which a layer with the input policy In keeps them.
template <InputQuantizer In, WeightRows Rows>
decltype(auto) rows_behind(const Rows& rows) {
  if constexpr (changes_basis<In>)
    return TransformedRows<typename In::transform, Rows>{rows};
  else
    return (rows);
}

/// What is chosen for each group of a weight of `shape` (out, in), in layout order:
/// choose(group) for the weights of a segment of a row or, when one scale spans rows, for those of
/// all rows, gathered. Salient weights do not count; a group of nothing else has the least scale,
/// or the range that choose() gives for no weight.
/// @param choose  (std::span<const float> group) -> QParams or Range, called from several threads
/// @param salient  the state of a SalientWeights policy
/// @throws Error when the weight is empty or not finite
template <WeightRows Rows, class Choose, class Salient = NoSalient::state>
auto chosen_by_group(Shape shape, const Rows& rows, const ScaleLayout& layout,
                     const Choose& choose, const Salient& salient = {}) {
  using Chosen = std::invoke_result_t<Choose, std::span<const float>>;
  std::vector<Chosen> all(layout.size());
  const auto chosen = [&](std::span<const float> group) {
    if constexpr (std::is_same_v<Chosen, QParams>)
      if (group.empty()) return QParams{scale_floor};
    return choose(group);
  };
  if (layout.scales.rows == 1 && shape.rows > 1) {
    std::vector<std::vector<float>> groups(layout.size());
    for (std::size_t row = 0; row < shape.rows; ++row) {
      const std::span<const float> values = checked_row(rows, row, shape.cols);
      layout.for_each_segment({row, 0, 1, shape.cols}, [&](auto, auto col, auto count, auto cell) {
        const auto segment = salient.rest(row, col, values.subspan(col, count));
        groups[cell].insert(groups[cell].end(), segment.begin(), segment.end());
      });
    }
    parallel_for(groups.size(), [&](std::size_t cell) { all[cell] = chosen(groups[cell]); });
  } else {
    parallel_for(shape.rows, [&](std::size_t row) {
      const std::span<const float> values = checked_row(rows, row, shape.cols);
      layout.for_each_segment({row, 0, 1, shape.cols}, [&](auto, auto col, auto count, auto cell) {
        all[cell] = chosen(salient.rest(row, col, values.subspan(col, count)));
      });
    });
  }
  return all;
}

/// The same by an initializer, on a granularity. @throws Error also where the shape does not fit it
template <Grid G, Granularity Gran, InitializerOf<G> I, WeightRows Rows>
std::vector<QParams> choose_qparams(Shape shape, const Rows& rows, const QuantOptions& options) {
  return chosen_by_group(
      checked_shape(shape), rows, Gran::layout(shape, options),
      [](std::span<const float> group) { return I::template choose<G>(group); });
}

}  // namespace lrqat

#endif  // LRQAT_INITIALIZER_WEIGHT_ROWS_HPP
