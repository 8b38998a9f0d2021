// SPDX-License-Identifier: MIT
// concept/compute.hpp: in which arithmetic the products with activations run.
#ifndef LRQAT_CONCEPT_COMPUTE_HPP
#define LRQAT_CONCEPT_COMPUTE_HPP

#include <lrqat/core/matrix_view.hpp>
#include <lrqat/core/policy.hpp>

#include <span>

namespace lrqat {

namespace kernel {
template <class T>
struct LeftFactor;
}  // namespace kernel

// clang-format off
/// The three large products of a layer: y = x W^T, dx = dy W, G = dy^T x. Everything that decides a
/// rounding of the weight stays in float32, so a compute policy never changes the integers.
///
/// multiply(a, b, c, scale)        c += a b, where scale is not empty with a (i, k) scale[k] for a
/// multiply_into(a, b, c, scale)   c = a b, likewise
/// scales_apart                    true: a backend passes the levels themselves for W where a row
///                                 of it has one scale, and multiplies y, or dy through `scale`
template <class C>
concept Arithmetic = PolicyOf<C, kind::compute> &&
    requires(const kernel::LeftFactor<float>& a, MatrixView<const float> b, MatrixView<float> c,
             std::span<const float> scale) {
      bool{C::scales_apart};
      C::multiply(a, b, c);
      C::multiply_into(a, b, c);
      requires !C::scales_apart || requires { C::multiply(a, b, c, scale);
                                              C::multiply_into(a, b, c, scale); };
    };
// clang-format on

}  // namespace lrqat

#endif  // LRQAT_CONCEPT_COMPUTE_HPP
