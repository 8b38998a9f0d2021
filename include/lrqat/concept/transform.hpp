// SPDX-License-Identifier: MIT
// concept/transform.hpp: what is done to the basis of the inputs, so that they quantize better.
#ifndef LRQAT_CONCEPT_TRANSFORM_HPP
#define LRQAT_CONCEPT_TRANSFORM_HPP

#include <lrqat/core/policy.hpp>

#include <span>

namespace lrqat {

// clang-format off
/// An invertible linear map T of the inputs: x W0^T = (T x)(W0 T^-1)^T, and both factors are quantized
/// in the new basis. All functions work in place on one vector (in):
///
/// changes_basis        false: T is the identity, and the functions are never called
/// apply(x)             a token x becomes T x
/// apply_adjoint(grad)  dL/d(T x) becomes dL/dx
/// apply_to_weight(w)   a row w of W0 becomes that of W0 T^-1
template <class T>
concept Transform = PolicyOf<T, kind::transform> && requires(std::span<float> vector) {
  bool{T::changes_basis};
  T::apply(vector);
  T::apply_adjoint(vector);
  T::apply_to_weight(vector);
};
// clang-format on

}  // namespace lrqat

#endif  // LRQAT_CONCEPT_TRANSFORM_HPP
