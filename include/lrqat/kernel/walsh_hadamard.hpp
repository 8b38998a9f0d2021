// SPDX-License-Identifier: MIT
// kernel/walsh_hadamard.hpp: the Walsh-Hadamard transform of rows, block by block.
#ifndef LRQAT_KERNEL_WALSH_HADAMARD_HPP
#define LRQAT_KERNEL_WALSH_HADAMARD_HPP

#include <lrqat/core/config.hpp>       // LRQAT_INDEPENDENT, LRQAT_INLINE
#include <lrqat/core/expects.hpp>      // expects
#include <lrqat/core/matrix_view.hpp>  // MatrixView
#include <lrqat/kernel/vectorised.hpp>

#include <bit>
#include <concepts>
#include <cstddef>

namespace lrqat::kernel {

/// The longest blocks that rows of `in` elements, in >= 1, can be cut into for walsh_hadamard: the
/// largest power of two that divides `in` and is at most `most`, most >= 1. 172 = 4 x 43 has blocks
/// of 4.
constexpr std::size_t walsh_hadamard_block(std::size_t in, std::size_t most) {
  const std::size_t power = in & (0 - in), limit = std::bit_floor(most);
  return power < limit ? power : limit;
}

namespace detail {

/// The butterflies (a, b) -> (a + b, a - b) between the two halves of `2 * half` elements.
template <class T>
LRQAT_INLINE void butterflies(T* x, std::size_t half) {
  for_each_lane(half, [x, half](std::size_t i) {
    const T a = x[i], b = x[half + i];
    x[i] = a + b;
    x[half + i] = a - b;
  });
}

/// Two stages, of butterflies `quarter` and then 2 * `quarter` apart, in one pass over 4 * quarter
/// elements.
template <class T>
LRQAT_INLINE void two_stages(T* x, std::size_t quarter) {
  for_each_lane(quarter, [x, quarter](std::size_t i) {
    const T a = x[i], b = x[quarter + i], c = x[2 * quarter + i], d = x[3 * quarter + i];
    const T a_plus_b = a + b, a_minus_b = a - b, c_plus_d = c + d, c_minus_d = c - d;
    x[i] = a_plus_b + c_plus_d;
    x[quarter + i] = a_minus_b + c_minus_d;
    x[2 * quarter + i] = a_plus_b - c_plus_d;
    x[3 * quarter + i] = a_minus_b - c_minus_d;
  });
}

inline constexpr std::size_t short_block = 32;

/// The next stage of 32 elements: butterflies neighbours and puts the sums before the differences.
/// Five of them are the whole transform, in natural order, all in one form that vectorises (Pease,
/// "An adaptation of the fast Fourier transform for parallel processing", JACM 1968).
template <class T>
LRQAT_INLINE void stage_of_neighbours(const T* x, T* y) {
  constexpr std::size_t half = short_block / 2;
  LRQAT_INDEPENDENT
  for (std::size_t i = 0; i < half; ++i) {
    const T a = x[2 * i], b = x[2 * i + 1];
    y[i] = a + b;
    y[half + i] = a - b;
  }
}

template <class T>
LRQAT_INLINE void transform_short_block(T* x) {
  alignas(64) T even[short_block], odd[short_block];
  stage_of_neighbours(x, odd);
  stage_of_neighbours(odd, even);
  stage_of_neighbours(even, odd);
  stage_of_neighbours(odd, even);
  stage_of_neighbours(even, x);
}

/// Stages of butterflies 1, 2, 4, ... apart, in this order.
template <class T>
LRQAT_INLINE void transform_block(T* x, std::size_t block) {
  std::size_t apart = block < short_block ? 1 : short_block;
  for (std::size_t first = 0; first < block && apart == short_block; first += short_block)
    transform_short_block(x + first);
  for (; apart >= short_block && apart <= block / 4; apart *= 4)
    for (std::size_t first = 0; first < block; first += 4 * apart) two_stages(x + first, apart);
  for (; apart < block; apart *= 2)
    for (std::size_t first = 0; first < block; first += 2 * apart) butterflies(x + first, apart);
}

}  // namespace detail

/// In place, for each block x of `block` elements of each row: x H, where H(i, j) = (-1)^popcount(i
/// & j) is Sylvester's Hadamard matrix. H is symmetric and H H = block I: twice is `block` times
/// the identity, and 1 / sqrt(block) times H is orthogonal.
///
/// block log2(block) additions, neighbours first, always the same ones: the same bits on every
/// instruction set. Errors: a block that is no power of two, or does not divide the columns.
template <std::floating_point T>
void walsh_hadamard(MatrixView<T> rows, std::size_t block) {
  expects(std::has_single_bit(block) && rows.cols % block == 0, "walsh_hadamard: blocks of ", block,
          " for rows of ", rows.cols,
          ": a block is a power of two that divides the columns (walsh_hadamard_block)");
  vectorised([=] {
    for (std::size_t row = 0; row < rows.rows; ++row)
      for (std::size_t first = 0; first < rows.cols; first += block)
        detail::transform_block(rows.data + row * rows.stride + first, block);
  });
}

}  // namespace lrqat::kernel

#endif  // LRQAT_KERNEL_WALSH_HADAMARD_HPP
