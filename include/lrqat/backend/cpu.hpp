// SPDX-License-Identifier: MIT
// backend/cpu.hpp: the passes of a layer on the CPU, tile by tile and on several threads.
#ifndef LRQAT_BACKEND_CPU_HPP
#define LRQAT_BACKEND_CPU_HPP

#include <lrqat/backend/parallel_for.hpp>
#include <lrqat/compute/compute.hpp>
#include <lrqat/concept/backend.hpp>
#include <lrqat/concept/compute.hpp>
#include <lrqat/concept/grid.hpp>  // has_offset
#include <lrqat/core/matrix_view.hpp>
#include <lrqat/core/scratch.hpp>
#include <lrqat/kernel/multiply/left_factor.hpp>
#include <lrqat/kernel/transpose.hpp>
#include <lrqat/kernel/vectorised.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <type_traits>

namespace lrqat {

/// Products in the arithmetic of C. Work is cut by shape alone and every sum has a fixed order, so
/// the same bits come out for any number of threads. Scratch, kept between calls: about 1.5 MiB for
/// each thread, in backward up to 1 MiB more and 3 MiB (or, if that is more, one copy for each
/// thread) of the gradients that column blocks have in common.
template <Arithmetic C>
struct CpuIn {
  using policy_kind = kind::backend;

  /// y (tokens, out) = x (tokens, in) W_hat^T.
  template <class Weight>
  static void forward(const Weight& weight, MatrixView<const float> x, MatrixView<float> y) {
    const Shape shape = weight.shape();
    const std::size_t rows = shape.rows >= 2048 ? rows_per_tile : shape.rows >= 512 ? 128 : 32;
    const std::size_t row_tiles = (shape.rows + rows - 1) / rows;
    // Few row tiles: cut the tokens too. Each piece rebuilds its tiles, for 512 tokens' work.
    const std::size_t tokens = row_tiles < 8 ? 512 : std::max<std::size_t>(x.rows, 1);
    const std::size_t pieces = (x.rows + tokens - 1) / tokens;
    parallel_for(row_tiles * pieces, [&](std::size_t task) {
      const std::size_t row = task / pieces * rows, first = task % pieces * tokens;
      const std::size_t count = std::min(rows, shape.rows - row);
      const auto x_piece = x.block(first, 0, std::min(tokens, x.rows - first), x.cols);
      const auto y_tile = y.block(first, row, x_piece.rows, count);
      for (std::size_t col = 0; col < shape.cols; col += max_columns) {
        const Tile tile{row, col, count, std::min(max_columns, shape.cols - col)};
        const auto w_transposed = transposed_tile(weight, tile);
        const auto x_columns = kernel::left(x_piece.block(0, col, x_piece.rows, tile.cols));
        if (col == 0)
          C::multiply_into(x_columns, w_transposed, y_tile);
        else
          C::multiply(x_columns, w_transposed, y_tile);
      }
      if constexpr (may_be_apart<Weight>)
        if (one_scale_a_row(weight)) scale_columns(y_tile, row_scales(weight, row, count));
    });
  }

  /// One pass over the tiles, each rebuilt once: grad_x (tokens, in) = grad_y W_hat, and the
  /// gradients of the trained parameters.
  template <class P>
  static void backward(P& parameterization, MatrixView<const float> x,
                       MatrixView<const float> grad_y, MatrixView<float> grad_x) {
    const Shape shape = parameterization.shape();
    const std::size_t columns = column_block(shape.cols);
    const std::size_t blocks = (shape.cols + columns - 1) / columns;
    const std::size_t in_common = parameterization.shared_gradients(columns);
    const std::size_t wave = std::min(blocks, blocks_at_once(in_common));
    const auto shared = scratch<struct shared_slot>(wave, in_common);
    for (std::size_t first = 0; first < blocks; first += wave) {
      const std::size_t count = std::min(wave, blocks - first);
      parallel_for(count, [&](std::size_t i) {
        const std::size_t col = (first + i) * columns;
        column_pass(parameterization, col, std::min(columns, shape.cols - col), x, grad_y, grad_x,
                    shared.row(i));
      });
      if constexpr (P::trains_weight)
        for (std::size_t i = 0; i < count; ++i) parameterization.reduce(shared.row(i));
    }
  }

 private:
  static constexpr std::size_t rows_per_tile = 256, max_columns = 256;

  /// Whether this arithmetic wants levels and scales apart, and this weight can give them so and is
  /// no more than their product.
  template <class Weight>
  static constexpr bool may_be_apart = C::scales_apart&& requires(const Weight& weight,
                                                                  const Tile& tile,
                                                                  MatrixView<float> q) {
    weight.levels(tile, q);
    weight.layout();
    weight.used_scale(std::size_t{0});
    requires !has_offset<typename Weight::grid>;
  };

  /// W_hat or its levels, (tile.cols, tile.rows), from a weight that has them that way or by a
  /// transposition.
  template <class Weight>
  static MatrixView<float> transposed_tile(const Weight& weight, const Tile& tile) {
    const auto w_transposed = padded_scratch<struct transposed_slot>(tile.cols, tile.rows);
    bool apart = false;
    if constexpr (may_be_apart<Weight>) apart = one_scale_a_row(weight);
    if constexpr (requires { weight.weight_transposed(tile, w_transposed); }) {
      if constexpr (may_be_apart<Weight>)
        if (apart) weight.levels_transposed(tile, w_transposed);
      if (!apart) weight.weight_transposed(tile, w_transposed);
    } else {
      const auto w = padded_scratch<struct weight_slot>(tile.rows, tile.cols);
      if constexpr (may_be_apart<Weight>)
        if (apart) weight.levels(tile, w);
      if (!apart) weight.weight(tile, w);
      kernel::transpose(w, w_transposed);
    }
    return w_transposed;
  }

  template <class Weight>
  static bool one_scale_a_row(const Weight& weight) {
    return weight.layout().scales.cols == 1;
  }

  template <class Weight>
  static std::span<const float> row_scales(const Weight& weight, std::size_t row,
                                           std::size_t count) {
    const auto scales = scratch<struct row_scales_slot>(1, count).row(0);
    for (std::size_t i = 0; i < count; ++i)
      scales[i] = weight.used_scale(weight.layout().index(row + i, 0));
    return scales;
  }

  static void scale_columns(MatrixView<float> y, std::span<const float> scales) {
    kernel::vectorised([&] {
      for (std::size_t t = 0; t < y.rows; ++t)
        kernel::for_each_lane(y.cols, [to = y.row(t).data(), from = scales.data()](std::size_t i) {
          to[i] *= from[i];
        });
    });
  }

  template <class P>
  static void rebuild_and_multiply(const P& parameterization, const Tile& tile, MatrixView<float> z,
                                   MatrixView<float> w, MatrixView<const float> dy,
                                   MatrixView<float> dx) {
    parameterization.rebuild(tile, z, w);
    if (tile.row == 0)
      C::multiply_into(kernel::left(dy), w, dx);
    else
      C::multiply(kernel::left(dy), w, dx);
  }

  /// The tiles of one column block from the first row to the last.
  template <class P>
  static void column_pass(P& parameterization, std::size_t col, std::size_t columns,
                          MatrixView<const float> x, MatrixView<const float> grad_y,
                          MatrixView<float> grad_x, std::span<float> shared) {
    const Shape shape = parameterization.shape();
    const auto dx = grad_x.block(0, col, grad_x.rows, columns);
    [[maybe_unused]] const auto own_x = columns_of(x, col, columns, P::trains_weight);
    std::fill(shared.begin(), shared.end(), 0.0f);
    for (std::size_t row = 0; row < shape.rows; row += rows_per_tile) {
      const Tile tile{row, col, std::min(rows_per_tile, shape.rows - row), columns};
      const auto dy = grad_y.block(0, row, grad_y.rows, tile.rows);
      const auto z = padded_scratch<struct latent_slot>(tile.rows, tile.cols);
      const auto w = padded_scratch<struct weight_slot>(tile.rows, tile.cols);
      if constexpr (may_be_apart<P>) {
        if (one_scale_a_row(parameterization)) {
          parameterization.rebuild_levels(tile, z, w);
          const auto scales = row_scales(parameterization, row, tile.rows);
          if (row == 0)
            C::multiply_into(kernel::left(dy), w, dx, scales);
          else
            C::multiply(kernel::left(dy), w, dx, scales);
        } else {
          rebuild_and_multiply(parameterization, tile, z, w, dy, dx);
        }
      } else {
        rebuild_and_multiply(parameterization, tile, z, w, dy, dx);
      }
      if constexpr (P::trains_weight) {
        const auto g = w;  // W_hat is not needed any more
        C::multiply_into(kernel::left_transposed(dy), own_x, g);
        parameterization.backward(tile, z, g, shared);
      }
    }
  }

  /// A block of columns that every tile of a column pass reads. Up to 1024 rows of it are brought
  /// together once; the product would otherwise do that for each tile.
  static MatrixView<const float> columns_of(MatrixView<const float> x, std::size_t col,
                                            std::size_t columns, bool often) {
    const auto block = x.block(0, col, x.rows, columns);
    constexpr std::size_t most_rows = 1024, fewest_rows = 32;
    if (!often || x.rows < fewest_rows || x.rows > most_rows) return block;
    const auto copy = padded_scratch<struct input_slot>(x.rows, columns);
    for (std::size_t t = 0; t < x.rows; ++t)
      std::copy_n(block.row(t).data(), columns, copy.row(t).data());
    return copy;
  }

  /// 8 blocks or more where there is room, of 32 to 256 columns.
  static std::size_t column_block(std::size_t cols) {
    const std::size_t eighth = (cols + 7) / 8, padded = (eighth + 31) / 32 * 32;
    return std::clamp(padded, std::size_t{32}, max_columns);
  }

  /// How many blocks share the threads before their sums are added up, in block order: as many as
  /// 3 MiB of sums hold, and one for each thread at least. This changes no bit of the result.
  static std::size_t blocks_at_once(std::size_t shared_gradients) {
    constexpr std::size_t most = (std::size_t{3} << 20) / sizeof(float);
    const auto threads = static_cast<std::size_t>(thread_count());
    const std::size_t fit = most / std::max<std::size_t>(shared_gradients, 1);
    return std::max(fit / threads, std::size_t{1}) * threads;
  }
};

struct CpuInt8;  // backend/cpu_int8.hpp

namespace detail {

template <class C>
struct cpu_in {};
template <Arithmetic C>
struct cpu_in<C> {
  using type = CpuIn<C>;
};
template <>
struct cpu_in<Compute<float>>;
template <>
struct cpu_in<Compute<int8>> {
  using type = CpuInt8;
};

}  // namespace detail

/// The default. A layer with Compute<bf16> among its policies has Cpu::in<Compute<bf16>> for it.
struct Cpu : CpuIn<Compute<float>> {
  template <PolicyOf<kind::compute> C>
  using in = typename detail::cpu_in<C>::type;
};

template <>
struct detail::cpu_in<Compute<float>> {
  using type = Cpu;
};

static_assert(Backend<Cpu> && Backend<CpuIn<Compute<bf16>>>);

}  // namespace lrqat

#endif  // LRQAT_BACKEND_CPU_HPP
