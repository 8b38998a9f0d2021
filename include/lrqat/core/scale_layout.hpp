// SPDX-License-Identifier: MIT
// core/scale_layout.hpp: which scale belongs to which weight.
#ifndef LRQAT_CORE_SCALE_LAYOUT_HPP
#define LRQAT_CORE_SCALE_LAYOUT_HPP

#include <lrqat/core/config.hpp>
#include <lrqat/core/matrix_view.hpp>

#include <algorithm>
#include <cstddef>

namespace lrqat {

/// What a granularity comes down to for a weight (out, in): a matrix of scales, one row for all
/// or one for each output, and how many consecutive inputs of a row share one of them.
struct ScaleLayout {
  Shape scales;                   // (1 or out, groups of a row)
  std::size_t group_columns = 1;  // the last group of a row may be shorter

  bool operator==(const ScaleLayout&) const = default;
  constexpr std::size_t size() const { return scales.size(); }
  constexpr std::size_t index(std::size_t row, std::size_t col) const {
    return (scales.rows == 1 ? 0 : row) * scales.cols + col / group_columns;
  }

  /// Calls f(row, first column, columns, scale index) for each run of weights of the tile that
  /// share a row and a scale, in row-major order. Rows and columns are those of the weight.
  template <class F>
  LRQAT_INLINE void for_each_segment(const Tile& tile, F f) const {
    const std::size_t end = tile.col + tile.cols;
    for (std::size_t row = tile.row; row < tile.row + tile.rows; ++row)
      for (std::size_t col = tile.col; col < end;) {
        const std::size_t next = std::min(end, (col / group_columns + 1) * group_columns);
        f(row, col, next - col, index(row, col));
        col = next;
      }
  }
};

}  // namespace lrqat

#endif  // LRQAT_CORE_SCALE_LAYOUT_HPP
