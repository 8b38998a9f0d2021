// SPDX-License-Identifier: MIT
// kernel/multiply/neon.hpp: register tiles of the product in NEON, which every AArch64 has.
#ifndef LRQAT_KERNEL_MULTIPLY_NEON_HPP
#define LRQAT_KERNEL_MULTIPLY_NEON_HPP

#include <lrqat/core/config.hpp>              // LRQAT_UNROLL
#include <lrqat/kernel/isa.hpp>               // Isa
#include <lrqat/kernel/multiply/blocked.hpp>  // RegisterTile, TileOperands

#include <arm_neon.h>

#include <atomic>
#include <cstddef>
#include <cstring>
#include <utility>

namespace lrqat::kernel {

/// Of 32 registers, 12 x 2 hold sums, 2 a row of the right factor, 3 a column of the left one.
template <>
struct RegisterTile<Isa::neon> {
  static constexpr std::size_t lanes = 4;
  using row_counts = std::index_sequence<12, 8, 4, 2, 1>;
  // At least 8 sums: two multiply-adds a cycle, each 4 cycles long.
  static constexpr std::size_t vectors(std::size_t rows) {
    return rows >= 4 ? 2 : rows == 2 ? 4 : 8;
  }

  template <std::size_t rows, std::size_t vectors, std::size_t row_step>
  static void run(const TileOperands& operands, std::size_t cols) {
    if constexpr (vectors == 1) {
      if (cols == 1) return tile<rows, vectors, row_step, 1>(operands);
      if (cols == 2) return tile<rows, vectors, row_step, 2>(operands);
      if (cols == 3) return tile<rows, vectors, row_step, 3>(operands);
    }
    tile<rows, vectors, row_step, lanes>(operands);
  }

  static void pack(const float* from, std::size_t stride, std::size_t depth, std::size_t cols,
                   float* to) {
    constexpr std::size_t panel = 2 * lanes;
    for (std::size_t k = 0; k < depth; ++k) {
      const float* const row = from + k * stride;
      float* copy = to + k * panel;
      std::size_t col = 0;
      for (; col + panel <= cols; col += panel, copy += panel * depth)
        std::memcpy(copy, row + col, panel * sizeof(float));
      if (col < cols) std::memcpy(copy, row + col, (cols - col) * sizeof(float));
    }
  }

 private:
  /// NEON has no masks: `count` is how many lanes of each vector are there.
  template <std::size_t rows, std::size_t vectors, std::size_t row_step, std::size_t count>
  static void tile(const TileOperands& operands) {
    float32x4_t sum[rows][vectors];
    LRQAT_UNROLL
    for (std::size_t i = 0; i < rows; ++i) {
      const float* const target = operands.target + i * operands.target_stride;
      LRQAT_UNROLL
      for (std::size_t v = 0; v < vectors; ++v)
        sum[i][v] = operands.overwrites ? vdupq_n_f32(0) : load<count>(target + v * lanes);
    }
    const float* left = operands.left;
    const float* right = operands.right;
    const std::size_t left_step = operands.left_step, right_step = operands.right_step;
    const std::size_t panel_step = operands.panel_step;
    const float* const* ahead = operands.ahead;
    for (std::size_t k = operands.depth; k != 0; --k) {
      if (k % 4 == 0 && ahead != operands.ahead_end) __builtin_prefetch(*ahead++);
      float32x4_t row[vectors];
      LRQAT_UNROLL
      for (std::size_t v = 0; v < vectors; ++v)
        row[v] = load<count>(right + v / 2 * panel_step + v % 2 * lanes);
      if constexpr (row_step == 1 && rows % lanes == 0) {
        LRQAT_UNROLL
        for (std::size_t i = 0; i < rows; i += lanes) {
          const float32x4_t factors = vld1q_f32(left + i);
          LRQAT_UNROLL
          for (std::size_t v = 0; v < vectors; ++v) {
            sum[i][v] = vfmaq_laneq_f32(sum[i][v], row[v], factors, 0);
            sum[i + 1][v] = vfmaq_laneq_f32(sum[i + 1][v], row[v], factors, 1);
            sum[i + 2][v] = vfmaq_laneq_f32(sum[i + 2][v], row[v], factors, 2);
            sum[i + 3][v] = vfmaq_laneq_f32(sum[i + 3][v], row[v], factors, 3);
          }
        }
      } else {
        LRQAT_UNROLL
        for (std::size_t i = 0; i < rows; ++i) {
          // Not all factors at once: gcc would spill sums to make room for them.
          if (i % lanes == 0) std::atomic_signal_fence(std::memory_order_acq_rel);
          const float factor = left[i * row_step];
          LRQAT_UNROLL
          for (std::size_t v = 0; v < vectors; ++v)
            sum[i][v] = vfmaq_n_f32(sum[i][v], row[v], factor);
        }
      }
      left += left_step;
      right += right_step;
    }
    LRQAT_UNROLL
    for (std::size_t i = 0; i < rows; ++i) {
      float* const target = operands.target + i * operands.target_stride;
      LRQAT_UNROLL
      for (std::size_t v = 0; v < vectors; ++v) store<count>(target + v * lanes, sum[i][v]);
    }
  }

  template <std::size_t count>
  static float32x4_t load(const float* from) {
    if constexpr (count == lanes) return vld1q_f32(from);
    float32x4_t vector = vdupq_n_f32(0);
    vector = vld1q_lane_f32(from, vector, 0);
    if constexpr (count > 1) vector = vld1q_lane_f32(from + 1, vector, 1);
    if constexpr (count > 2) vector = vld1q_lane_f32(from + 2, vector, 2);
    return vector;
  }

  template <std::size_t count>
  static void store(float* to, float32x4_t vector) {
    if constexpr (count == lanes) return vst1q_f32(to, vector);
    vst1q_lane_f32(to, vector, 0);
    if constexpr (count > 1) vst1q_lane_f32(to + 1, vector, 1);
    if constexpr (count > 2) vst1q_lane_f32(to + 2, vector, 2);
  }
};

}  // namespace lrqat::kernel

#endif  // LRQAT_KERNEL_MULTIPLY_NEON_HPP
