// SPDX-License-Identifier: MIT
// kernel/transpose/avx512.hpp: squares of 16 floats in AVX-512.
#ifndef LRQAT_KERNEL_TRANSPOSE_AVX512_HPP
#define LRQAT_KERNEL_TRANSPOSE_AVX512_HPP

#include <lrqat/core/config.hpp>              // LRQAT_UNROLL
#include <lrqat/kernel/isa.hpp>               // Isa, target regions
#include <lrqat/kernel/transpose/square.hpp>  // TransposeSquare

#include <immintrin.h>

#include <cstddef>

LRQAT_AVX512_BEGIN

namespace lrqat::kernel {

/// Row 4 b + r of the square is loaded as quarter-rows: register 4 c + r holds, in its b-th lane of
/// 4 floats, columns 4 c .. 4 c + 3 of that row. What is left are transpositions of 4 x 4 within
/// the lanes, and no shuffle across them.
template <>
struct TransposeSquare<Isa::avx512, float> {
  static constexpr std::size_t side = 16;

  static void run(const float* from, std::size_t from_stride, float* to, std::size_t to_stride) {
    // Masked forms: gcc warns about the undefined lanes inside its plain ones.
    constexpr __mmask16 all = 0xFFFF;
    LRQAT_UNROLL
    for (std::size_t c = 0; c < 4; ++c) {
      __m512 row[4];
      LRQAT_UNROLL
      for (std::size_t r = 0; r < 4; ++r) {
        const float* const first = from + r * from_stride + 4 * c;
        const __m512 lane0 = _mm512_zextps128_ps512(_mm_loadu_ps(first));
        const __m512 lane1 =
            _mm512_maskz_insertf32x4(all, lane0, _mm_loadu_ps(first + 4 * from_stride), 1);
        const __m512 lane2 =
            _mm512_maskz_insertf32x4(all, lane1, _mm_loadu_ps(first + 8 * from_stride), 2);
        row[r] = _mm512_maskz_insertf32x4(all, lane2, _mm_loadu_ps(first + 12 * from_stride), 3);
      }
      const __m512 low01 = _mm512_maskz_unpacklo_ps(all, row[0], row[1]);
      const __m512 high01 = _mm512_maskz_unpackhi_ps(all, row[0], row[1]);
      const __m512 low23 = _mm512_maskz_unpacklo_ps(all, row[2], row[3]);
      const __m512 high23 = _mm512_maskz_unpackhi_ps(all, row[2], row[3]);
      float* const target = to + 4 * c * to_stride;
      _mm512_storeu_ps(target, _mm512_maskz_shuffle_ps(all, low01, low23, 0x44));
      _mm512_storeu_ps(target + to_stride, _mm512_maskz_shuffle_ps(all, low01, low23, 0xEE));
      _mm512_storeu_ps(target + 2 * to_stride, _mm512_maskz_shuffle_ps(all, high01, high23, 0x44));
      _mm512_storeu_ps(target + 3 * to_stride, _mm512_maskz_shuffle_ps(all, high01, high23, 0xEE));
    }
  }
};

}  // namespace lrqat::kernel

LRQAT_TARGET_END

#endif  // LRQAT_KERNEL_TRANSPOSE_AVX512_HPP
