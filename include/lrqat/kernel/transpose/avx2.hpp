// SPDX-License-Identifier: MIT
// kernel/transpose/avx2.hpp: squares of 8 floats in AVX2.
#ifndef LRQAT_KERNEL_TRANSPOSE_AVX2_HPP
#define LRQAT_KERNEL_TRANSPOSE_AVX2_HPP

#include <lrqat/core/config.hpp>              // LRQAT_UNROLL
#include <lrqat/kernel/isa.hpp>               // Isa, target regions
#include <lrqat/kernel/transpose/square.hpp>  // TransposeSquare

#include <immintrin.h>

#include <cstddef>

LRQAT_AVX2_BEGIN

namespace lrqat::kernel {

/// Register 4 c + r holds columns 4 c .. 4 c + 3 of row r in its low half and of row 4 + r in its
/// high half; what is left are transpositions of 4 x 4 within the halves.
template <>
struct TransposeSquare<Isa::avx2, float> {
  static constexpr std::size_t side = 8;

  static void run(const float* from, std::size_t from_stride, float* to, std::size_t to_stride) {
    LRQAT_UNROLL
    for (std::size_t c = 0; c < 2; ++c) {
      __m256 row[4];
      LRQAT_UNROLL
      for (std::size_t r = 0; r < 4; ++r) {
        const float* const first = from + r * from_stride + 4 * c;
        row[r] = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(first)),
                                      _mm_loadu_ps(first + 4 * from_stride), 1);
      }
      const __m256 low01 = _mm256_unpacklo_ps(row[0], row[1]);
      const __m256 high01 = _mm256_unpackhi_ps(row[0], row[1]);
      const __m256 low23 = _mm256_unpacklo_ps(row[2], row[3]);
      const __m256 high23 = _mm256_unpackhi_ps(row[2], row[3]);
      float* const target = to + 4 * c * to_stride;
      _mm256_storeu_ps(target, _mm256_shuffle_ps(low01, low23, 0x44));
      _mm256_storeu_ps(target + to_stride, _mm256_shuffle_ps(low01, low23, 0xEE));
      _mm256_storeu_ps(target + 2 * to_stride, _mm256_shuffle_ps(high01, high23, 0x44));
      _mm256_storeu_ps(target + 3 * to_stride, _mm256_shuffle_ps(high01, high23, 0xEE));
    }
  }
};

}  // namespace lrqat::kernel

LRQAT_TARGET_END

#endif  // LRQAT_KERNEL_TRANSPOSE_AVX2_HPP
