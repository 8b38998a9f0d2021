// SPDX-License-Identifier: MIT
// transform/hadamard.hpp: outliers are spread evenly over blocks of inputs.
#ifndef LRQAT_TRANSFORM_HADAMARD_HPP
#define LRQAT_TRANSFORM_HADAMARD_HPP

#include <lrqat/concept/transform.hpp>
#include <lrqat/core/matrix_view.hpp>
#include <lrqat/kernel/vectorised.hpp>
#include <lrqat/kernel/walsh_hadamard.hpp>

#include <bit>
#include <cmath>
#include <cstddef>
#include <span>

namespace lrqat {

/// The orthonormal Walsh-Hadamard matrix in Sylvester's order on each block of inputs: QuEST's
/// blocks of 128 (Panferov et al., arXiv 2502.05003). A block has the largest power of two that
/// divides `in`, up to Block, so that a prime `in` has blocks of 1 and stays as it is. H is its own
/// inverse and its own adjoint; the same bits on every instruction set.
template <std::size_t Block = 128>
struct Hadamard {
  static_assert(std::has_single_bit(Block), "Hadamard<Block>: a block has a power of two inputs.");
  using policy_kind = kind::transform;
  static constexpr bool changes_basis = true;

  static void apply(std::span<float> vector) {
    const std::size_t block = kernel::walsh_hadamard_block(vector.size(), Block);
    if (block == 1) return;
    kernel::walsh_hadamard(MatrixView<float>(vector.data(), 1, vector.size()), block);
    const float norm = 1.0f / std::sqrt(static_cast<float>(block));
    kernel::vectorised([=, values = vector.data(), count = vector.size()] {
      kernel::for_each_lane(count,
                            [=](std::size_t i) LRQAT_INLINE_LAMBDA { values[i] *= norm; });
    });
  }
  static void apply_adjoint(std::span<float> grad) { apply(grad); }
  static void apply_to_weight(std::span<float> row) { apply(row); }
};

static_assert(Transform<Hadamard<>>);

}  // namespace lrqat

#endif  // LRQAT_TRANSFORM_HADAMARD_HPP
