// SPDX-License-Identifier: MIT
// backend/few_tokens.hpp: the forward pass of a merged layer for a few tokens, without tiles.
#ifndef LRQAT_BACKEND_FEW_TOKENS_HPP
#define LRQAT_BACKEND_FEW_TOKENS_HPP

#include <lrqat/backend/panel_scales.hpp>
#include <lrqat/backend/parallel_for.hpp>
#include <lrqat/concept/grid.hpp>
#include <lrqat/core/matrix_view.hpp>
#include <lrqat/core/scratch.hpp>
#include <lrqat/kernel/multiply_codes.hpp>

#include <algorithm>
#include <cstddef>

namespace lrqat {

/// Whether a kernel can make the levels of a grid: a table of up to 16, or the codes themselves.
template <class G>
inline constexpr bool has_few_token_kernel =
    IntegerGrid<G> || (Grid<G> && G::bits <= 4 && !G::has_zero_point && !has_offset<G>);

/// y (tokens, out) = x W_hat^T in float32 with the bits of the passes over tiles, where there is a
/// kernel for this many tokens, these groups and the active instruction set; otherwise false, and y
/// is as it was. Weight: a merged layer.
template <class Weight>
requires has_few_token_kernel<typename Weight::grid>
bool multiply_few_tokens(const Weight& weight, MatrixView<const float> x, MatrixView<float> y) {
  using G = typename Weight::grid;
  using Codes = typename Weight::codes_type;
  const std::size_t group = weight.layout().group_columns, groups = weight.layout().scales.cols;
  if (x.rows == 0 || x.rows > kernel::CodesTile::most_tokens) return false;
  if (groups > 1 && group % Codes::inputs != 0) return false;
  const auto choice =
      kernel::codes_kernel<static_cast<unsigned>(G::bits), G::has_zero_point>(x.rows);
  if (choice.run == nullptr) return false;
  float level[16];
  for (int field = 0; field < 16; ++field)
    level[field] = G::level((field & ((1 << G::bits) - 1)) + G::code_min, 0.0f);
  const std::size_t panels = Codes::panels(y.cols);
  const std::size_t tasks = (panels + choice.panels - 1) / choice.panels;
  parallel_for(tasks, [&](std::size_t task) {
    kernel::CodesTile tile{};
    tile.in = x.cols;
    tile.group_columns = group;
    tile.level = level;
    tile.offset = static_cast<float>(Codes::operand_offset + G::code_min);
    tile.y_stride = y.stride;
    tile.tokens = x.rows;
    for (std::size_t t = 0; t < choice.tokens; ++t)
      tile.x[t] = x.row(std::min(t, x.rows - 1)).data();
    const auto scales = scratch<struct few_scales_slot>(choice.panels, groups * Codes::rows);
    const auto zeros = scratch<struct few_zeros_slot>(choice.panels, groups * Codes::rows);
    for (std::size_t v = 0; v < choice.panels; ++v) {
      // As in CpuInt8: a stream a part of the rows, and the first panel again for one not there.
      const std::size_t there = v * tasks + task, panel = there < panels ? there : task;
      const std::size_t row = panel * Codes::rows;
      tile.rows[v] = there < panels ? std::min(Codes::rows, y.cols - row) : 0;
      tile.panel[v] = weight.panel(row);
      tile.y[v] = y.data + row;
      gather_panel(weight.layout(), y.cols, weight.scales(), row, scales.row(v).data());
      tile.scale[v] = scales.row(v).data();
      if constexpr (G::has_zero_point)
        gather_panel(weight.layout(), y.cols, weight.zero_points(), row, zeros.row(v).data());
      tile.zero[v] = zeros.row(v).data();
    }
    choice.run(tile);
  });
  return true;
}

}  // namespace lrqat

#endif  // LRQAT_BACKEND_FEW_TOKENS_HPP
