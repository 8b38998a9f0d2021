// SPDX-License-Identifier: MIT
// kernel/transpose/words.hpp: squares of four words, in the vectors that every target has.
#ifndef LRQAT_KERNEL_TRANSPOSE_WORDS_HPP
#define LRQAT_KERNEL_TRANSPOSE_WORDS_HPP

#include <lrqat/core/config.hpp>  // LRQAT_INLINE, LRQAT_UNROLL

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace lrqat::kernel {

/// to (j, i) = from (i, j) for i, j in [0, 4), of it the bytes where ones[j] has a 1, else 0;
/// strides in words.
LRQAT_INLINE void transpose_four_words(const std::uint32_t* from, std::size_t from_stride,
                                       std::uint32_t* to, std::size_t to_stride,
                                       const std::uint32_t* ones) {
  using Words [[gnu::vector_size(16)]] = std::uint32_t;
  Words bytes, row[4];
  std::memcpy(&bytes, ones, sizeof(Words));
  bytes *= 0xFF;
  LRQAT_UNROLL
  for (std::size_t i = 0; i < 4; ++i) {
    std::memcpy(&row[i], from + i * from_stride, sizeof(Words));
    row[i] &= bytes;
  }
  const Words low01 = __builtin_shufflevector(row[0], row[1], 0, 4, 1, 5);
  const Words high01 = __builtin_shufflevector(row[0], row[1], 2, 6, 3, 7);
  const Words low23 = __builtin_shufflevector(row[2], row[3], 0, 4, 1, 5);
  const Words high23 = __builtin_shufflevector(row[2], row[3], 2, 6, 3, 7);
  const Words column[4] = {
      __builtin_shufflevector(low01, low23, 0, 1, 4, 5),
      __builtin_shufflevector(low01, low23, 2, 3, 6, 7),
      __builtin_shufflevector(high01, high23, 0, 1, 4, 5),
      __builtin_shufflevector(high01, high23, 2, 3, 6, 7),
  };
  LRQAT_UNROLL
  for (std::size_t j = 0; j < 4; ++j) std::memcpy(to + j * to_stride, &column[j], sizeof(Words));
}

}  // namespace lrqat::kernel

#endif  // LRQAT_KERNEL_TRANSPOSE_WORDS_HPP
