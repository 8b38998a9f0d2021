// SPDX-License-Identifier: MIT
// initializer/round_to_grid.hpp: numbers that are stored rounded, such as the factors of LQER.
#ifndef LRQAT_INITIALIZER_ROUND_TO_GRID_HPP
#define LRQAT_INITIALIZER_ROUND_TO_GRID_HPP

#include <lrqat/concept/grid.hpp>
#include <lrqat/concept/initializer.hpp>
#include <lrqat/concept/scale_format.hpp>
#include <lrqat/core/expects.hpp>
#include <lrqat/core/matrix_view.hpp>
#include <lrqat/initializer/on_grid.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace lrqat {

/// Each number of the matrix becomes scale * level on grid G; `group` consecutive numbers of a row,
/// the last perhaps fewer, share a scale that I chooses in format F: as a layer of these policies
/// rounds its weight. MXINT8: round_to_grid<Int<8>, FullRange, PowerOfTwoScale>(factor, 16).
/// @throws Error when a number is not finite or the group empty
template <Grid G, InitializerOf<G> I, ScaleFormatOf<G> F>
void round_to_grid(MatrixView<float> matrix, std::size_t group) {
  expects(group > 0, "round_to_grid: a group has at least one number");
  const F format(QuantOptions{});
  for (std::size_t i = 0; i < matrix.rows; ++i)
    for (std::size_t first = 0; first < matrix.cols; first += group) {
      const auto values = matrix.row(i).subspan(first, std::min(group, matrix.cols - first));
      for (std::size_t j = 0; j < values.size(); ++j)
        expects(std::isfinite(values[j]), "round_to_grid: number (", i, ", ", first + j,
                ") is not finite");
      const QParams chosen = I::template choose<G>(values);
      QParams used = chosen;
      used.scale =
          format.template round<G>(std::max(chosen.scale, format.floor()), chosen.zero_point);
      if constexpr (has_offset<G>) used.offset = format.round_offset(chosen.offset);
      for (float& value : values) value = on_grid<G>(value, used);
    }
}

}  // namespace lrqat

#endif  // LRQAT_INITIALIZER_ROUND_TO_GRID_HPP
