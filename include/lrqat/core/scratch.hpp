// SPDX-License-Identifier: MIT
// core/scratch.hpp: per-thread working memory that is kept between calls.
#ifndef LRQAT_CORE_SCRATCH_HPP
#define LRQAT_CORE_SCRATCH_HPP

#include <lrqat/core/aligned.hpp>
#include <lrqat/core/matrix_view.hpp>

#include <cstddef>

namespace lrqat {

/// A (rows, cols) matrix of this thread, contents undefined. `Slot` is any type and names the
/// buffer: it lives until the same slot is asked for again on the same thread, and only grows.
template <class Slot, class T = float>
MatrixView<T> scratch(std::size_t rows, std::size_t cols) {
  static thread_local AlignedVector<T> buffer;
  if (buffer.size() < rows * cols) buffer.resize(rows * cols);
  return {buffer.data(), rows, cols};
}

/// The same with rows an odd number of pairs of cache lines apart, so that a column of them spreads
/// over all sets of a cache, which a stride of a power of two does not.
template <class Slot, class T = float>
MatrixView<T> padded_scratch(std::size_t rows, std::size_t cols) {
  constexpr std::size_t pair = 128 / sizeof(T);
  const std::size_t stride = ((cols + pair - 1) / pair | 1) * pair;
  return {scratch<Slot, T>(rows, stride).data, rows, cols, stride};
}

}  // namespace lrqat

#endif  // LRQAT_CORE_SCRATCH_HPP
