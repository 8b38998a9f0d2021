// SPDX-License-Identifier: MIT
// backend/int8_products.hpp: codes of activations times codes of a merged layer.
#ifndef LRQAT_BACKEND_INT8_PRODUCTS_HPP
#define LRQAT_BACKEND_INT8_PRODUCTS_HPP

#include <lrqat/backend/parallel_for.hpp>
#include <lrqat/concept/input_quantizer.hpp>
#include <lrqat/core/matrix_view.hpp>
#include <lrqat/core/scratch.hpp>
#include <lrqat/kernel/multiply_int8.hpp>
#include <lrqat/kernel/reduce.hpp>
#include <lrqat/kernel/transpose/words.hpp>
#include <lrqat/kernel/vectorised.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

namespace lrqat {

namespace detail {

/// The passes of CpuInt8 in the tiles of a Unit: the active one or, in tests, a model of another.
///
///   order()                      how many tokens stand in a tile
///   tile<bits, has_zero>(shape)  its function
template <class Unit>
struct Int8Products {
  /// How much a level is more than its operand.
  template <class Codes, class Grid>
  static constexpr int level_offset = Codes::operand_offset + Grid::code_min;

  template <IntegerInput In, class Weight>
  static void forward_codes(const Weight& weight, MatrixView<const float> x, MatrixView<float> y) {
    const std::size_t tile = order_of(x.rows).tokens;
    const std::size_t parts = parts_of(x.rows, x.cols, std::size_t{4} << 20);
    const std::size_t tiles = (x.rows + parts * tile - 1) / (parts * tile);
    for (std::size_t first = 0; first < x.rows; first += tiles * tile) {
      const std::size_t count = std::min(tiles * tile, x.rows - first);
      multiply(weight, Activations::template make<In>(weight, x.block(first, 0, count, x.cols)),
               y.block(first, 0, count, y.cols));
    }
  }

  /// Codes of a block of tokens, in tiles as the kernels read them: all but the last have
  /// `tile_tokens`, the last has `last_tokens`. Parallel to it what a kernel needs of each token
  /// and group. They live in scratch, until this thread makes the next.
  struct Activations {
    std::size_t tokens, tile_tokens, last_tokens, run, steps, group_count;
    const kernel::GroupBlocks* groups;
    const std::uint32_t* ones;        // [step]
    const std::uint32_t* x;           // [tile][step / run][token of the tile][step % run]
    const std::int32_t* zero;         // [token]
    const float* scale;               // [token]
    const std::int32_t *sum, *start;  // [tile][group][token of the tile]

    /// Quantizes x (tokens, in) token by token for a weight (out, in) of these groups.
    /// @pre tokens >= 1
    template <class In, class Weight>
    static Activations make(const Weight& weight, MatrixView<const float> x) {
      using Codes = typename Weight::codes_type;
      using Grid = typename Weight::grid;
      const std::size_t group_columns = weight.layout().group_columns;
      const std::size_t group_count = weight.layout().scales.cols;
      const auto groups = scratch<struct groups_slot, kernel::GroupBlocks>(1, group_count);
      const auto columns = [=](std::size_t g) {
        return Columns{g * group_columns, std::min(x.cols, (g + 1) * group_columns)};
      };
      const kernel::Int8Order order = order_of(x.rows);
      const std::size_t tile = order.tokens, run = order.run;
      std::size_t steps = 0;
      for (std::size_t g = 0; g < group_count; ++g) {
        const std::size_t block = columns(g).first / Codes::inputs;
        groups(0, g) = {block, Codes::blocks(columns(g).end) - block};
        steps += rounded_up(groups(0, g).count * Codes::steps, run);
      }
      // Behind a group's inputs there are none: those of its last run have neither ones nor codes.
      const auto ones = scratch<struct ones_slot, std::uint32_t>(1, steps).row(0);
      for (std::size_t g = 0, step = 0; g < group_count; ++g)
        for (std::size_t i = 0; i < rounded_up(groups(0, g).count * Codes::steps, run); ++i, ++step)
          ones[step] = ones_of(columns(g), groups(0, g).first * Codes::inputs + 4 * i);

      const std::size_t tiles = (x.rows + tile - 1) / tile;
      const std::size_t last = rounded_up((x.rows - 1) % tile + 1, order.fraction);
      const std::size_t padded = (tiles - 1) * tile + last;
      const auto words = scratch<struct codes_slot, std::uint32_t>(steps, padded);
      const auto zero = scratch<struct zero_slot, std::int32_t>(1, padded).row(0);
      const auto scale = scratch<struct scale_slot>(1, padded).row(0);
      const auto sums = scratch<struct sum_slot, std::int32_t>(group_count, padded);
      const auto starts = scratch<struct start_slot, std::int32_t>(group_count, padded);
      const std::size_t token_words = Codes::blocks(x.cols) * Codes::steps;
      parallel_for(padded / order.fraction, [&](std::size_t part) {
        const std::size_t begin = part * order.fraction;
        const std::size_t first = begin / tile * tile, t = begin - first;
        const std::size_t height = first + tile < padded ? tile : padded - first;
        const auto rows =
            padded_scratch<struct token_slot, std::uint32_t>(order.fraction, token_words);
        for (std::size_t i = 0; i < order.fraction; ++i) {
          // Tokens that fill up the last tile are the last one again; nobody sees them.
          const std::size_t token = begin + i;
          const auto codes = bytes_of(rows.row(i));
          std::fill(codes.begin() + static_cast<std::ptrdiff_t>(x.cols), codes.end(),
                    std::uint8_t{0});
          const auto shared = In::quantize(x.row(std::min(token, x.rows - 1)), codes.first(x.cols));
          scale[token] = shared.scale;
          zero[token] = static_cast<std::int32_t>(shared.zero_point);
          kernel::vectorised([&] {
            for (std::size_t g = 0; g < group_count; ++g) {
              const Columns inputs = columns(g);
              const std::size_t count = inputs.end - inputs.first;
              const std::int32_t sum = kernel::sum_of_bytes(codes.data() + inputs.first, count);
              const std::size_t cell = first * group_count + g * height + t + i;
              sums.data[cell] = sum - zero[token] * static_cast<std::int32_t>(count);
              starts.data[cell] =
                  Grid::has_zero_point ? 0 : sums.data[cell] * level_offset<Codes, Grid>;
            }
          });
        }
        interleave<Codes>(rows, groups.row(0), ones.data(), order, height,
                          words.data + first * steps + t * run);
      });
      return {x.rows,       tile,        last,        run,        steps,
              group_count,  groups.data, ones.data(), words.data, zero.data(),
              scale.data(), sums.data,   starts.data};
    }

    struct Columns {
      std::size_t first, end;
    };
    /// A 1 in each byte whose input, four from `input` on, is one of `columns`.
    static std::uint32_t ones_of(Columns columns, std::size_t input) {
      std::uint32_t ones = 0;
      for (unsigned i = 0; i < 4; ++i)
        if (input + i >= columns.first && input + i < columns.end) ones |= 1u << 8 * i;
      return ones;
    }
    /// A row of codes for each of `order.fraction` tokens, into the order of their tile, which has
    /// `height` tokens.
    template <class Codes>
    static void interleave(MatrixView<const std::uint32_t> rows,
                           std::span<const kernel::GroupBlocks> groups, const std::uint32_t* ones,
                           kernel::Int8Order order, std::size_t height, std::uint32_t* to) {
      for (const kernel::GroupBlocks group : groups) {
        const std::uint32_t* from = rows.data + group.first * Codes::steps;
        const std::size_t count = group.count * Codes::steps;
        std::size_t step = 0;
        if (order.run == 1 && order.fraction == 4)
          for (; step + 4 <= count; step += 4, ones += 4, to += 4 * height)
            kernel::transpose_four_words(from + step, rows.stride, to, height, ones);
        for (; step < count; step += order.run, ones += order.run, to += height * order.run)
          for (std::size_t i = 0; i < order.fraction; ++i)
            for (std::size_t r = 0; r < order.run; ++r)
              to[i * order.run + r] =
                  step + r < count ? from[i * rows.stride + step + r] & ones[r] * 0xFFu : 0;
      }
    }
    static std::span<std::uint8_t> bytes_of(std::span<std::uint32_t> words) {
      static_assert(std::endian::native == std::endian::little,
                    "CpuInt8: the first code of a word is its lowest byte.");
      return {reinterpret_cast<std::uint8_t*>(words.data()), words.size_bytes()};
    }
  };

  /// y (tokens, out) = x_hat W_hat^T, overwritten.
  /// @pre make() made x for this weight, on this thread and as its last
  template <class Weight>
  static void multiply(const Weight& weight, const Activations& x, MatrixView<float> y) {
    using Codes = typename Weight::codes_type;
    constexpr bool has_zero = Weight::grid::has_zero_point;
    constexpr auto bits = static_cast<unsigned>(Weight::grid::bits);
    const bool is_few = x.tokens <= few;
    const std::size_t streams = is_few ? 4 : 2, panels = Codes::panels(y.cols);
    const std::size_t tasks = (panels + streams - 1) / streams;
    const std::size_t tiles = (x.tokens + x.tile_tokens - 1) / x.tile_tokens;
    const auto tile_of = [=](std::size_t tokens, bool makes_sums) {
      return Unit::template tile<bits, has_zero>({tokens, streams, makes_sums});
    };
    const auto first = tile_of(tiles == 1 ? x.last_tokens : x.tile_tokens, true);
    const auto further = is_few ? nullptr : tile_of(x.tile_tokens, false);
    const auto last = tile_of(is_few ? kernel::further_four_tokens.tokens : x.last_tokens, false);
    // A block's codes stay in a second-level cache beside two panels. A thread goes through all
    // blocks without waiting for the others.
    const std::size_t blocks = parts_of(x.tokens, x.steps * 4, std::size_t{512} << 10);
    const std::size_t parts = std::min(static_cast<std::size_t>(thread_count()), tasks);
    parallel_for(parts, [&](std::size_t part) {
      for (std::size_t block = 0; block < blocks; ++block)
        for (std::size_t task = tasks * part / parts; task < tasks * (part + 1) / parts; ++task) {
          // Panel v of a task is in the v-th part of the rows: each stream goes on from task to
          // task.
          kernel::Int8Tile tile{};
          tile.groups = x.groups;
          tile.group_count = x.group_count;
          tile.ones = x.ones;
          tile.keeps_sums = x.tokens > x.tile_tokens;
          tile.y_stride = y.stride;
          std::size_t rows[kernel::Int8Tile::most_panels] = {};
          const auto cells =
              scratch<struct operand_sum_slot, std::int32_t>(streams, x.group_count * Codes::rows);
          const auto operands = scratch<struct operand_slot, std::uint32_t>(
              streams, x.run == 1 ? 0 : x.steps * Codes::rows);
          for (std::size_t v = 0; v < streams; ++v) {
            // A panel that is not there is the first one again, for nobody.
            const std::size_t there = v * tasks + task, panel = there < panels ? there : task;
            rows[v] = panel * Codes::rows;
            tile.rows[v] = there < panels ? std::min(Codes::rows, y.cols - rows[v]) : 0;
            tile.panel[v] = weight.panel(rows[v]);
            tile.sum[v] = cells.row(v).data();
            tile.operands[v] = operands.row(v).data();
            tile.scale[v] = weight.panel_scales().scales(rows[v]);
            tile.zero[v] = weight.panel_scales().zero_points(rows[v]);
          }
          const std::size_t begin = tiles * block / blocks, end = tiles * (block + 1) / blocks;
          for (std::size_t i = begin; i < end; ++i) {
            const std::size_t t = i * x.tile_tokens;
            tile.x = x.x + t * x.steps;
            tile.zero_x = x.zero + t;
            tile.scale_x = x.scale + t;
            tile.x_sum = x.sum + t * x.group_count;
            tile.start = x.start + t * x.group_count;
            tile.tokens = std::min(x.tile_tokens, x.tokens - t);
            for (std::size_t v = 0; v < streams; ++v) tile.y[v] = y.data + t * y.stride + rows[v];
            (i == begin ? first : i + 1 == tiles ? last : further)(tile);
          }
        }
    });
  }

 private:
  static constexpr std::size_t few = 8;

  static kernel::Int8Order order_of(std::size_t tokens) {
    if (tokens > few) return Unit::order();
    const std::size_t tile = tokens <= 2 ? std::max<std::size_t>(tokens, 1) : 4;
    return {tile, tile, 1};
  }
  static std::size_t rounded_up(std::size_t count, std::size_t part) {
    return (count + part - 1) / part * part;
  }
  /// Into how many equal parts, of at least four tiles, tokens go whose codes take up to `bytes`.
  static std::size_t parts_of(std::size_t tokens, std::size_t in, std::size_t bytes) {
    const std::size_t most =
        std::max(bytes / std::max<std::size_t>(in, 1), 4 * Unit::order().tokens);
    return std::max<std::size_t>(1, (tokens + most - 1) / most);
  }
};

}  // namespace detail

}  // namespace lrqat

#endif  // LRQAT_BACKEND_INT8_PRODUCTS_HPP
