// SPDX-License-Identifier: MIT
// backend/cpu_int8.hpp: the forward pass of a merged layer in integers.
#ifndef LRQAT_BACKEND_CPU_INT8_HPP
#define LRQAT_BACKEND_CPU_INT8_HPP

#include <lrqat/backend/parallel_for.hpp>
#include <lrqat/concept/backend.hpp>
#include <lrqat/concept/input_quantizer.hpp>
#include <lrqat/core/matrix_view.hpp>
#include <lrqat/core/scratch.hpp>
#include <lrqat/kernel/multiply_int8.hpp>
#include <lrqat/kernel/reduce.hpp>
#include <lrqat/kernel/vectorised.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

namespace lrqat {

/// Products of Compute<int8>: codes of activations, quantized once for each token, times codes of
/// the weight, both as they are, with sums in int32. It has no backward pass.
///
///   y = s_x (s_0 D_0 + s_1 D_1 + ...),   D_g = sum over group g of (code_x - z_x) level
///
/// D is exact; its conversion to float32, each multiply-add and the last product round once, in
/// this order on every instruction set, for any number of threads and whatever tokens come along.
/// Scratch, kept between calls: the codes of about 512 KiB of activations, and 16 to 128 KiB for
/// each thread.
struct CpuInt8 {
  using policy_kind = kind::backend;

  template <IntegerInput In, class Weight>
  static void forward_codes(const Weight& weight, MatrixView<const float> x, MatrixView<float> y) {
    const std::size_t most = tokens_at_once(x.cols);
    for (std::size_t first = 0; first < x.rows; first += most) {
      const std::size_t count = std::min(most, x.rows - first);
      multiply(weight, Activations::template make<In>(weight, x.block(first, 0, count, x.cols)),
               y.block(first, 0, count, y.cols));
    }
  }

  /// How much a level is more than its operand.
  template <class Codes, class Grid>
  static constexpr int level_offset = Codes::operand_offset + Grid::code_min;

  /// Whether every sum of a layer fits in int32. `most_level`: the largest |level| of the weight.
  static constexpr bool sums_fit(std::size_t group_columns, double most_level) {
    return static_cast<double>(group_columns) * 255.0 * most_level <=
           static_cast<double>(std::numeric_limits<std::int32_t>::max());
  }

 private:
  /// Codes of a block of tokens, in tiles of up to 12 as the kernels read them; parallel to it what
  /// a kernel needs of each token and group.
  struct Activations {
    std::size_t tokens, tile_tokens, steps, group_count;
    const kernel::GroupBlocks* groups;
    const std::uint32_t* ones;        // [step]
    const std::uint32_t* x;           // [tile][step][token of the tile]
    const std::int32_t* zero;         // [token]
    const float* scale;               // [token]
    const std::int32_t *sum, *start;  // [tile][group][token of the tile]

    template <class In, class Weight>
    static Activations make(const Weight& weight, MatrixView<const float> x) {
      using Codes = typename Weight::codes_type;
      using Grid = typename Weight::grid;
      const std::size_t group_columns = weight.layout().group_columns;
      const std::size_t group_count = weight.layout().scales.cols;
      const auto groups = scratch<struct groups_slot, kernel::GroupBlocks>(1, group_count);
      std::size_t steps = 0;
      for (std::size_t g = 0; g < group_count; ++g) {
        const std::size_t first = g * group_columns;
        const std::size_t end = std::min(x.cols, first + group_columns);
        const std::size_t block = first / Codes::inputs;
        groups(0, g) = {block, Codes::blocks(end) - block};
        steps += groups(0, g).count * Codes::steps;
      }
      const std::size_t tile = tile_of(x.rows), tiles = (x.rows + tile - 1) / tile;
      const auto ones = scratch<struct ones_slot, std::uint32_t>(1, steps);
      const auto words = scratch<struct codes_slot, std::uint32_t>(tiles, steps * tile);
      const auto zero = scratch<struct zero_slot, std::int32_t>(tiles, tile);
      const auto scale = scratch<struct scale_slot>(tiles, tile);
      const auto sums = scratch<struct sum_slot, std::int32_t>(tiles, group_count * tile);
      const auto starts = scratch<struct start_slot, std::int32_t>(tiles, group_count * tile);
      const auto place = [&](std::span<const std::uint8_t> codes, std::uint32_t* to,
                             std::size_t to_step, auto finish) LRQAT_INLINE_LAMBDA {
        for (std::size_t g = 0; g < group_count; ++g) {
          const std::size_t first = g * group_columns;
          const std::size_t end = std::min(x.cols, first + group_columns);
          to = place_group(codes, first, end, groups(0, g).first * Codes::inputs,
                           (groups(0, g).first + groups(0, g).count) * Codes::inputs, to, to_step);
          finish(g, first, end);
        }
      };
      const auto every_one = scratch<struct token_slot, std::uint8_t>(1, x.cols).row(0);
      std::fill(every_one.begin(), every_one.end(), std::uint8_t{1});
      place(every_one, ones.data, 1, [](std::size_t, std::size_t, std::size_t) {});
      parallel_for(tiles * tile, [&](std::size_t padded_token) {
        const std::size_t i = padded_token / tile, t = padded_token % tile;
        const auto codes = scratch<struct token_slot, std::uint8_t>(1, x.cols).row(0);
        // Tokens that fill up the last tile are the last one again; nobody sees them.
        const auto token = In::quantize(x.row(std::min(padded_token, x.rows - 1)), codes);
        scale(i, t) = token.scale;
        zero(i, t) = static_cast<std::int32_t>(token.zero_point);
        kernel::vectorised([&] {
          place(codes, words.row(i).data() + t, tile,
                [&](std::size_t g, std::size_t first, std::size_t end) LRQAT_INLINE_LAMBDA {
                  const auto sum = kernel::sum_over<std::int32_t>(
                      end - first, [from = codes.data() + first](std::size_t j)
                                       LRQAT_INLINE_LAMBDA { return std::int32_t{from[j]}; });
                  const std::int32_t difference =
                      sum - zero(i, t) * static_cast<std::int32_t>(end - first);
                  sums(i, g * tile + t) = difference;
                  starts(i, g * tile + t) =
                      Grid::has_zero_point ? 0 : difference * level_offset<Codes, Grid>;
                });
        });
      });
      return {x.rows,     tile,      steps,      group_count, groups.data, ones.data,
              words.data, zero.data, scale.data, sums.data,   starts.data};
    }

    /// Inputs [first, end) of a group whose blocks are [block, block_end), four to a word.
    static std::uint32_t* place_group(std::span<const std::uint8_t> codes, std::size_t first,
                                      std::size_t end, std::size_t block, std::size_t block_end,
                                      std::uint32_t* to, std::size_t to_step) {
      for (std::size_t j = block; j < block_end; j += 4, to += to_step) {
        std::uint32_t word = 0;
        if (j >= first && j + 4 <= end)
          word = codes[j] | std::uint32_t{codes[j + 1]} << 8 | std::uint32_t{codes[j + 2]} << 16 |
                 std::uint32_t{codes[j + 3]} << 24;
        else
          for (std::size_t i = std::max(j, first); i < std::min(j + 4, end); ++i)
            word |= std::uint32_t{codes[i]} << (i - j) * 8;
        *to = word;
      }
      return to;
    }
  };

  static constexpr std::size_t few = 8;

  static std::size_t tile_of(std::size_t tokens) {
    return tokens <= 2 ? tokens : tokens <= few ? 4 : 12;
  }
  /// Codes of about 512 KiB, in whole tiles: what a second-level cache holds beside two panels.
  static std::size_t tokens_at_once(std::size_t in) {
    return std::clamp<std::size_t>((std::size_t{512} << 10) / std::max<std::size_t>(in, 1) / 12, 4,
                                   64) *
           12;
  }

  template <class Weight>
  static void multiply(const Weight& weight, const Activations& x, MatrixView<float> y) {
    using Codes = typename Weight::codes_type;
    constexpr bool has_zero = Weight::grid::has_zero_point;
    constexpr auto bits = static_cast<unsigned>(Weight::grid::bits);
    const bool is_few = x.tokens <= few;
    const std::size_t streams = is_few ? 4 : 2, panels = Codes::panels(y.cols);
    const std::size_t tasks = (panels + streams - 1) / streams;
    const auto first = kernel::int8_tile<bits, has_zero>({x.tile_tokens, streams, is_few});
    const auto further = kernel::int8_tile<bits, has_zero>(
        is_few ? kernel::further_four_tokens : kernel::Int8Shape{12, 2, false});
    const auto sums = kernel::int8_sums<bits>();
    parallel_for(tasks, [&](std::size_t task) {
      // Panel v of a task is in the v-th part of the rows: each stream goes on from task to task.
      kernel::Int8Tile tile{};
      tile.groups = x.groups;
      tile.group_count = x.group_count;
      tile.ones = x.ones;
      tile.keeps_sums = x.tokens > x.tile_tokens;
      tile.y_stride = y.stride;
      std::size_t rows[kernel::Int8Tile::most_panels] = {};
      const auto cells =
          scratch<struct operand_sum_slot, std::int32_t>(streams, x.group_count * 16);
      for (std::size_t v = 0; v < streams; ++v) {
        // A panel that is not there is the first one again, for nobody.
        const std::size_t there = v * tasks + task, panel = there < panels ? there : task;
        rows[v] = panel * Codes::rows;
        tile.rows[v] = there < panels ? std::min(Codes::rows, y.cols - rows[v]) : 0;
        tile.panel[v] = weight.panel(rows[v]);
        tile.sum[v] = cells.row(v).data();
        tile.scale[v] = weight.panel_scales().scales(rows[v]);
        tile.zero[v] = weight.panel_scales().zero_points(rows[v]);
      }
      if (!is_few) {
        tile.x = x.ones;
        sums(tile);
      }
      const std::size_t height = x.tile_tokens;
      for (std::size_t t = 0, i = 0; t < x.tokens; t += height, ++i) {
        tile.x = x.x + i * x.steps * height;
        tile.zero_x = x.zero + t;
        tile.scale_x = x.scale + t;
        tile.x_sum = x.sum + i * x.group_count * height;
        tile.start = x.start + i * x.group_count * height;
        tile.tokens = std::min(height, x.tokens - t);
        for (std::size_t v = 0; v < streams; ++v) tile.y[v] = y.data + t * y.stride + rows[v];
        (i == 0 ? first : further)(tile);
      }
    });
  }
};

static_assert(Backend<CpuInt8>);

}  // namespace lrqat

#endif  // LRQAT_BACKEND_CPU_INT8_HPP
