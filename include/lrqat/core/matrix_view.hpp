// SPDX-License-Identifier: MIT
// core/matrix_view.hpp: shapes, and non-owning views of row-major matrices.
#ifndef LRQAT_CORE_MATRIX_VIEW_HPP
#define LRQAT_CORE_MATRIX_VIEW_HPP

#include <cstddef>
#include <span>
#include <type_traits>

namespace lrqat {

struct Shape {
  std::size_t rows = 0, cols = 0;
  constexpr std::size_t size() const { return rows * cols; }
  bool operator==(const Shape&) const = default;
};

/// A rectangle of a matrix: rows [row, row + rows), columns [col, col + cols).
struct Tile {
  std::size_t row = 0, col = 0, rows = 0, cols = 0;
};

/// Row-major, non-owning; element (i, j) is data[i * stride + j], stride in elements.
template <class T>
struct MatrixView {
  T* data = nullptr;
  std::size_t rows = 0, cols = 0, stride = 0;

  constexpr MatrixView() = default;
  constexpr MatrixView(T* first, std::size_t row_count, std::size_t col_count)
      : MatrixView(first, row_count, col_count, col_count) {}
  constexpr MatrixView(T* first, std::size_t row_count, std::size_t col_count,
                       std::size_t row_stride)
      : data(first), rows(row_count), cols(col_count), stride(row_stride) {}
  /// A view of mutable elements serves wherever one of constant elements is asked for.
  template <class U>
    requires(std::is_same_v<const U, T> && !std::is_const_v<U>)
  constexpr MatrixView(MatrixView<U> other)
      : MatrixView(other.data, other.rows, other.cols, other.stride) {}

  constexpr T& operator()(std::size_t i, std::size_t j) const { return data[i * stride + j]; }
  constexpr std::span<T> row(std::size_t i) const { return {data + i * stride, cols}; }
  constexpr Shape shape() const { return {rows, cols}; }
  constexpr MatrixView block(std::size_t row0, std::size_t col0, std::size_t row_count,
                             std::size_t col_count) const {
    return {data + row0 * stride + col0, row_count, col_count, stride};
  }
  constexpr MatrixView block(const Tile& tile) const {
    return block(tile.row, tile.col, tile.rows, tile.cols);
  }
};

}  // namespace lrqat

#endif  // LRQAT_CORE_MATRIX_VIEW_HPP
