// SPDX-License-Identifier: MIT
// salient/weight_set.hpp: some weights of a matrix, by their places.
#ifndef LRQAT_SALIENT_WEIGHT_SET_HPP
#define LRQAT_SALIENT_WEIGHT_SET_HPP

#include <lrqat/core/expects.hpp>
#include <lrqat/core/matrix_view.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace lrqat {

/// A set of weights (out, in), row by row: 4 bytes for each and 8 for each row.
class WeightSet {
 public:
  explicit WeightSet(Shape shape) : shape_(shape), starts_(shape.rows + 1) {
    expects(shape.cols <= std::numeric_limits<std::uint32_t>::max(), "WeightSet: rows of ",
            shape.cols, " weights");
  }

  /// @param holds  (row, col) -> bool, asked once for each weight in row-major order
  template <class Holds>
  WeightSet(Shape shape, const Holds& holds) : WeightSet(shape) {
    for (std::size_t i = 0; i < shape.rows; ++i) {
      for (std::size_t j = 0; j < shape.cols; ++j)
        if (holds(i, j)) columns_.push_back(static_cast<std::uint32_t>(j));
      starts_[i + 1] = columns_.size();
    }
  }

  Shape shape() const { return shape_; }
  std::size_t size() const { return columns_.size(); }
  std::size_t bytes() const {
    return columns_.size() * sizeof(std::uint32_t) + starts_.size() * sizeof(std::size_t);
  }

  /// Columns of a row's weights, ascending; they are numbers first(row), first(row) + 1, ... of
  /// all.
  std::span<const std::uint32_t> row(std::size_t row) const {
    return std::span(columns_).subspan(starts_[row], starts_[row + 1] - starts_[row]);
  }
  std::size_t first(std::size_t row) const { return starts_[row]; }

  bool contains(std::size_t row, std::size_t col) const {
    const auto columns = this->row(row);
    return std::binary_search(columns.begin(), columns.end(), col);
  }

  /// Calls f(row, col, number) for those of a tile, in row-major order.
  template <class F>
  void for_each_in(const Tile& tile, F f) const {
    for (std::size_t i = tile.row; i < tile.row + tile.rows; ++i) {
      const auto columns = row(i);
      auto at = std::lower_bound(columns.begin(), columns.end(), tile.col);
      for (; at != columns.end() && *at < tile.col + tile.cols; ++at)
        f(i, std::size_t{*at}, starts_[i] + static_cast<std::size_t>(at - columns.begin()));
    }
  }

 private:
  Shape shape_;
  std::vector<std::size_t> starts_;     // (rows + 1)
  std::vector<std::uint32_t> columns_;  // (size())
};

}  // namespace lrqat

#endif  // LRQAT_SALIENT_WEIGHT_SET_HPP
