// SPDX-License-Identifier: MIT
// kernel/multiply/blocked.hpp: how a product is cut into register tiles, on any instruction set.
#ifndef LRQAT_KERNEL_MULTIPLY_BLOCKED_HPP
#define LRQAT_KERNEL_MULTIPLY_BLOCKED_HPP

#include <lrqat/core/aligned.hpp>                 // AlignedVector
#include <lrqat/core/matrix_view.hpp>             // MatrixView
#include <lrqat/kernel/isa.hpp>                   // Isa
#include <lrqat/kernel/multiply/fetch_list.hpp>   // FetchList
#include <lrqat/kernel/multiply/left_factor.hpp>  // LeftFactor

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <utility>

namespace lrqat::kernel {

/// What a register tile works on. Left factor (i, k): left[i * row_step + k * left_step], with
/// row_step a template argument. Right factor (k, j), j inside panel p: right[p * panel_step +
/// k * right_step + j].
struct TileOperands {
  const float* left;
  std::size_t left_step;
  const float* right;
  std::size_t right_step, panel_step;
  float* target;
  std::size_t target_stride, depth;
  bool overwrites;  // sums start at 0 in place of the old target
  // Addresses that the tile asks the memory for while it multiplies, one every four steps.
  const float* const* ahead;
  const float* const* ahead_end;
};

/// The register tiles of an instruction set, in kernel/multiply/<isa>.hpp:
///   lanes                                  floats in a vector; a panel is 2 vectors wide
///   row_counts                             index_sequence of the tile heights, descending to 1
///   vectors(rows)                          widest tile of that height, in vectors
///   run<rows, vectors, row_step>(operands, cols)
///                                          target += (or =) left right; of one vector only `cols`
///                                          lanes
///   pack(from, stride, depth, cols, to)    panels of the right factor one after the other
template <Isa>
struct RegisterTile;

/// Cuts c (m, n) += a (m, k) b (k, n), or c = a b, into blocks of depth x width that stay in the
/// second-level cache, and those into register tiles. No choice made here changes a bit of the
/// result: the chain of an element passes through c from one block of the depth to the next.
template <Isa isa>
class BlockedProduct {
 public:
  BlockedProduct(LeftFactor<float> a, MatrixView<const float> b, MatrixView<float> c,
                 bool overwrites)
      : a_(a), b_(b), c_(c), overwrites_(overwrites) {}

  void run() {
    const std::size_t parts = (a_.depth + max_depth - 1) / max_depth;
    const std::size_t depth = (a_.depth + parts - 1) / parts;
    const bool packs = a_.rows >= pack_min_rows && b_.stride >= pack_min_stride;
    for (std::size_t col = 0; col < c_.cols; col += max_width)
      for (std::size_t k = 0; k < a_.depth; k += depth)
        block(k, std::min(depth, a_.depth - k), col, std::min(max_width, c_.cols - col), packs);
  }

 private:
  using Tile = RegisterTile<isa>;
  static constexpr std::size_t lanes = Tile::lanes, panel = 2 * lanes;
  static constexpr std::size_t max_depth = 256, max_width = 256;
  // Rows of a copied panel of a are an odd number of cache lines apart.
  static constexpr std::size_t copied_row_step = max_depth + 16;
  static constexpr std::size_t max_rows = 16;
  // Smaller products are over before what they ask for arrives.
  static constexpr std::size_t fetch_min_depth = 128, fetch_min_width = 64;
  // From a stride of a page on, the rows of b fall into few cache sets and many pages; copying
  // them costs about as much as two rows of the product.
  static constexpr std::size_t pack_min_stride = 1024, pack_min_rows = 32;

  void block(std::size_t k, std::size_t depth, std::size_t col, std::size_t cols, bool packs) {
    TileOperands operands{};
    operands.depth = depth;
    operands.target_stride = c_.stride;
    operands.right = b_.data + k * b_.stride + col;
    operands.right_step = b_.stride;
    operands.panel_step = panel;
    operands.overwrites = overwrites_ && k == 0;
    if (packs) {
      float* const packed = pack_buffer();
      Tile::pack(operands.right, b_.stride, depth, cols, packed);
      operands.right = packed;
      operands.right_step = panel;
      operands.panel_step = panel * depth;
    }
    for (std::size_t i = 0; i < a_.rows;) {
      operands.target = c_.data + i * c_.stride + col;
      i += strip(i, k, cols, operands, typename Tile::row_counts{});
    }
  }

  /// One strip of tiles from row i on, as high as fits well; returns its height.
  template <std::size_t rows, std::size_t... lower>
  std::size_t strip(std::size_t i, std::size_t k, std::size_t cols, const TileOperands& operands,
                    std::index_sequence<rows, lower...>) {
    if constexpr (sizeof...(lower) > 0) {
      constexpr std::size_t next = std::max({lower...});
      const std::size_t left = a_.rows - i;
      const bool two_lower = left > rows && left <= 2 * next;  // better than one and a sliver
      if (left < rows || two_lower)
        return strip(i, k, cols, operands, std::index_sequence<lower...>{});
    }
    const bool fetches = operands.depth >= fetch_min_depth && cols >= fetch_min_width;
    next_ = {i + rows, fetches ? std::min(rows, a_.rows - i - rows) : 0, k};
    multiply_strip<rows>(a_.at(i, k), cols, operands);
    return rows;
  }

  /// Brings `rows` rows of a, from `from` on, into a form that the tiles read with constant steps.
  template <std::size_t rows>
  void multiply_strip(const float* from, std::size_t cols, TileOperands operands) {
    static_assert(rows <= max_rows);
    const bool adjacent_rows = a_.row_step == 1;
    if (rows == 1 || (adjacent_rows && cols <= 2 * panel)) {
      operands.left = from;
      operands.left_step = a_.depth_step;
      return columns<rows, 1>(cols, operands);
    }
    alignas(64) float copy[max_rows * copied_row_step];
    operands.left = copy;
    if (a_.depth_step == 1) {
      for (std::size_t i = 0; i < rows; ++i)
        std::memcpy(copy + i * copied_row_step, from + i * a_.row_step,
                    operands.depth * sizeof(float));
      operands.left_step = 1;
      return columns<rows, copied_row_step>(cols, operands);
    }
    for (std::size_t k = 0; k < operands.depth; ++k)
      if (adjacent_rows)
        std::memcpy(copy + k * max_rows, from + k * a_.depth_step, rows * sizeof(float));
      else
        for (std::size_t i = 0; i < rows; ++i)
          copy[k * max_rows + i] = from[i * a_.row_step + k * a_.depth_step];
    operands.left_step = max_rows;
    columns<rows, 1>(cols, operands);
  }

  template <std::size_t rows, std::size_t row_step>
  void columns(std::size_t cols, const TileOperands& strip) {
    constexpr std::size_t vectors = Tile::vectors(rows);
    std::size_t j = 0;
    for (; j + vectors * lanes <= cols; j += vectors * lanes) {
      TileOperands tile = from_column(strip, j);
      if (next_.rows != 0) fetch_next(j, vectors * lanes, cols, rows, tile);
      Tile::template run<rows, vectors, row_step>(tile, lanes);
    }
    if constexpr (vectors > 2)
      for (; j + panel <= cols; j += panel)
        Tile::template run<rows, 2, row_step>(from_column(strip, j), lanes);
    for (; j < cols; j += lanes)
      Tile::template run<rows, 1, row_step>(from_column(strip, j), std::min(lanes, cols - j));
  }

  /// Gives a tile its share of what the next strip will read: the strip's targets in the same
  /// columns [j, j + width), and as large a part of its rows of a.
  void fetch_next(std::size_t j, std::size_t width, std::size_t cols, std::size_t height,
                  TileOperands& tile) {
    ahead_.clear();
    ahead_.add_target(tile.target + height * tile.target_stride, tile.target_stride, next_.rows,
                      width);
    ahead_.add_left(a_, next_.row, next_.rows, next_.depth + tile.depth * j / cols,
                    next_.depth + tile.depth * (j + width) / cols);
    tile.ahead = ahead_.begin();
    tile.ahead_end = ahead_.end();
  }

  static TileOperands from_column(TileOperands strip, std::size_t j) {
    strip.right += j / panel * strip.panel_step + j % panel;
    strip.target += j;
    return strip;
  }

  /// One block of b, kept by the thread from its first large product on.
  static float* pack_buffer() {
    thread_local AlignedVector<float> buffer(max_depth * max_width);
    return buffer.data();
  }

  LeftFactor<float> a_;
  MatrixView<const float> b_;
  MatrixView<float> c_;
  bool overwrites_;
  struct {
    std::size_t row, rows, depth;  // rows 0: there is none, or the product is too small to matter
  } next_{};                       // strip
  FetchList ahead_;
};

}  // namespace lrqat::kernel

#endif  // LRQAT_KERNEL_MULTIPLY_BLOCKED_HPP
