// SPDX-License-Identifier: MIT
// kernel/transpose/neon.hpp: squares of 16 floats in NEON.
#ifndef LRQAT_KERNEL_TRANSPOSE_NEON_HPP
#define LRQAT_KERNEL_TRANSPOSE_NEON_HPP

#include <lrqat/core/config.hpp>              // LRQAT_UNROLL
#include <lrqat/kernel/isa.hpp>               // Isa
#include <lrqat/kernel/transpose/square.hpp>  // TransposeSquare

#include <arm_neon.h>

#include <cstddef>

namespace lrqat::kernel {

/// Squares of 4 x 4, four rows of the target after the other: each of their lines is written in
/// full before the next are touched.
template <>
struct TransposeSquare<Isa::neon, float> {
  static constexpr std::size_t side = 16;

  static void run(const float* from, std::size_t from_stride, float* to, std::size_t to_stride) {
    for (std::size_t col = 0; col < side; col += 4) {
      LRQAT_UNROLL
      for (std::size_t row = 0; row < side; row += 4) {
        const float* const source = from + row * from_stride + col;
        float* const target = to + col * to_stride + row;
        const float32x4_t row0 = vld1q_f32(source), row1 = vld1q_f32(source + from_stride);
        const float32x4_t row2 = vld1q_f32(source + 2 * from_stride);
        const float32x4_t row3 = vld1q_f32(source + 3 * from_stride);
        const float32x4_t even01 = vtrn1q_f32(row0, row1), odd01 = vtrn2q_f32(row0, row1);
        const float32x4_t even23 = vtrn1q_f32(row2, row3), odd23 = vtrn2q_f32(row2, row3);
        vst1q_f32(target, vcombine_f32(vget_low_f32(even01), vget_low_f32(even23)));
        vst1q_f32(target + to_stride, vcombine_f32(vget_low_f32(odd01), vget_low_f32(odd23)));
        vst1q_f32(target + 2 * to_stride,
                  vcombine_f32(vget_high_f32(even01), vget_high_f32(even23)));
        vst1q_f32(target + 3 * to_stride, vcombine_f32(vget_high_f32(odd01), vget_high_f32(odd23)));
      }
    }
  }
};

}  // namespace lrqat::kernel

#endif  // LRQAT_KERNEL_TRANSPOSE_NEON_HPP
