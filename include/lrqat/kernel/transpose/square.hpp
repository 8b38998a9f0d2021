// SPDX-License-Identifier: MIT
// kernel/transpose/square.hpp: the squares that a transposition is made of; the portable one.
#ifndef LRQAT_KERNEL_TRANSPOSE_SQUARE_HPP
#define LRQAT_KERNEL_TRANSPOSE_SQUARE_HPP

#include <lrqat/kernel/isa.hpp>  // Isa

#include <cstddef>

namespace lrqat::kernel {

/// A square that fits the registers of an instruction set, in kernel/transpose/<isa>.hpp:
///   side                                 its rows and columns
///   run(from, from_stride, to, to_stride)
///                                        to (j, i) = from (i, j); strides in elements
template <Isa isa, class T>
struct TransposeSquare {
  static constexpr std::size_t side = 16;

  /// Through a buffer, so that a stride of a power of two does not throw lines out of the cache
  /// before they are full.
  static void run(const T* from, std::size_t from_stride, T* to, std::size_t to_stride) {
    T square[side * side];
    for (std::size_t i = 0; i < side; ++i)
      for (std::size_t j = 0; j < side; ++j) square[j * side + i] = from[i * from_stride + j];
    for (std::size_t j = 0; j < side; ++j)
      for (std::size_t i = 0; i < side; ++i) to[j * to_stride + i] = square[j * side + i];
  }
};

}  // namespace lrqat::kernel

#endif  // LRQAT_KERNEL_TRANSPOSE_SQUARE_HPP
