// SPDX-License-Identifier: MIT
// compute/compute.hpp: products in float32, of bfloat16 operands with float32 sums, or of
// codes with int32 sums.
#ifndef LRQAT_COMPUTE_COMPUTE_HPP
#define LRQAT_COMPUTE_COMPUTE_HPP

#include <lrqat/concept/compute.hpp>
#include <lrqat/core/bf16.hpp>
#include <lrqat/kernel/multiply.hpp>
#include <lrqat/kernel/multiply_bf16.hpp>

#include <cstdint>

namespace lrqat {

using int8 = std::int8_t;

template <class T>
struct Compute {
  static_assert(sizeof(T) == 0, "Compute<T>: T is float, lrqat::bf16 or lrqat::int8.");
};

/// The reproducible one: the same bits on every instruction set and for any number of threads.
template <>
struct Compute<float> {
  using policy_kind = kind::compute;
  static constexpr bool scales_apart = false;

  static void multiply(kernel::LeftFactor<float> a, MatrixView<const float> b,
                       MatrixView<float> c) {
    kernel::multiply(a, b, c);
  }
  static void multiply_into(kernel::LeftFactor<float> a, MatrixView<const float> b,
                            MatrixView<float> c) {
    kernel::multiply_into(a, b, c);
  }
};

/// x, dy and W rounded to bfloat16, sums in float32. Where each row of W has one scale, W enters as
/// its levels, which are exact in bfloat16 for integers of up to 8 bits; with several scales in a
/// row W_hat itself is rounded, by at most 2^-9 of each weight. The rebuild, and so the integers
/// and the merged codes, are those of Compute<float>. The same bits for any number of threads, on
/// one kind of unit (kernel/bf16_unit.hpp).
template <>
struct Compute<bf16> {
  using policy_kind = kind::compute;
  static constexpr bool scales_apart = true;

  static void multiply(kernel::LeftFactor<float> a, MatrixView<const float> b, MatrixView<float> c,
                       std::span<const float> scale = {}) {
    kernel::multiply_bf16(a, b, c, scale);
  }
  static void multiply_into(kernel::LeftFactor<float> a, MatrixView<const float> b,
                            MatrixView<float> c, std::span<const float> scale = {}) {
    kernel::multiply_bf16_into(a, b, c, scale);
  }
};

/// Codes of activations times codes of the weight, sums in int32: for merged layers alone, see
/// MergedLinear::in. The same bits on every instruction set and for any number of threads.
template <>
struct Compute<int8> {
  using policy_kind = kind::compute;
};

static_assert(Arithmetic<Compute<float>> && Arithmetic<Compute<bf16>>);

}  // namespace lrqat

#endif  // LRQAT_COMPUTE_COMPUTE_HPP
