// SPDX-License-Identifier: MIT
// backend/panel_scales.hpp: scales and zero points in the order in which kernels read them.
#ifndef LRQAT_BACKEND_PANEL_SCALES_HPP
#define LRQAT_BACKEND_PANEL_SCALES_HPP

#include <lrqat/core/aligned.hpp>
#include <lrqat/core/matrix_view.hpp>
#include <lrqat/core/scale_layout.hpp>
#include <lrqat/kernel/transpose.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

namespace lrqat {

/// Writes what 16 rows, from `row` on, have in `cells` (in layout order) as [group][row of the 16];
/// rows beyond the weight get zeros.
inline void gather_panel(const ScaleLayout& layout, std::size_t weight_rows,
                         std::span<const float> cells, std::size_t row, float* to) {
  constexpr std::size_t rows = 16;
  const std::size_t groups = layout.scales.cols;
  if (layout.scales.rows == 1) {  // one row of scales for all
    for (std::size_t g = 0; g < groups; ++g) std::fill_n(to + g * rows, rows, cells[g]);
    return;
  }
  const std::size_t count = std::min(rows, weight_rows - row);
  if (count < rows) std::fill_n(to, groups * rows, 0.0f);
  kernel::transpose(MatrixView<const float>(cells.data() + row * groups, count, groups),
                    MatrixView<float>(to, groups, count, rows));
}

/// A second copy of all scales, and of the zero points as integers, panel by panel: gathering them
/// in each product of one token would cost up to a third of its time.
class PanelScales {
 public:
  PanelScales() = default;
  /// Zero points are kept less `offset`.
  PanelScales(const ScaleLayout& layout, std::size_t weight_rows, std::span<const float> scales,
              std::span<const float> zero_points, int offset)
      : groups_(layout.scales.cols) {
    const std::size_t cells = (weight_rows + rows - 1) / rows * rows * groups_;
    scales_.resize(cells);
    for (std::size_t row = 0; row < weight_rows; row += rows)
      gather_panel(layout, weight_rows, scales, row, scales_.data() + row * groups_);
    if (zero_points.empty()) return;
    AlignedVector<float> panel(rows * groups_);
    zero_points_.resize(cells);
    for (std::size_t row = 0; row < weight_rows; row += rows) {
      gather_panel(layout, weight_rows, zero_points, row, panel.data());
      for (std::size_t i = 0; i < panel.size(); ++i)
        zero_points_[row * groups_ + i] = static_cast<std::int32_t>(panel[i]) - offset;
    }
  }

  /// [group][row of the panel] of the panel that starts at `row`.
  const float* scales(std::size_t row) const { return scales_.data() + row * groups_; }
  /// Likewise; null where there are none.
  const std::int32_t* zero_points(std::size_t row) const {
    return zero_points_.empty() ? nullptr : zero_points_.data() + row * groups_;
  }
  std::size_t bytes() const {
    return scales_.size() * sizeof(float) + zero_points_.size() * sizeof(std::int32_t);
  }

 private:
  static constexpr std::size_t rows = 16;

  std::size_t groups_ = 0;
  AlignedVector<float> scales_;
  AlignedVector<std::int32_t> zero_points_;
};

}  // namespace lrqat

#endif  // LRQAT_BACKEND_PANEL_SCALES_HPP
