// SPDX-License-Identifier: MIT
// concept/linear_layer.hpp: what a model asks of its linear layers.
#ifndef LRQAT_CONCEPT_LINEAR_LAYER_HPP
#define LRQAT_CONCEPT_LINEAR_LAYER_HPP

#include <lrqat/core/matrix_view.hpp>
#include <lrqat/core/parameter.hpp>

#include <concepts>

namespace lrqat {

// clang-format off
/// y = x W^T (+ bias), with whatever W is inside.
///
/// forward(x, y)                overwrites y; x (tokens, in), y (tokens, out)
/// backward(x, grad_y, grad_x)  x as in forward; overwrites grad_x (tokens, in), adds to the
///                              gradients of parameters(). No state is kept between the two.
/// after_step()                 optional: what follows from the parameters, after they are updated
template <class L>
concept LinearLayer = requires(const L& layer, L& trained, MatrixView<const typename L::scalar> x,
                               MatrixView<typename L::scalar> y) {
  typename L::scalar;
  { layer.in_features() } -> std::same_as<std::size_t>;
  { layer.out_features() } -> std::same_as<std::size_t>;
  layer.forward(x, y);
  trained.backward(x, x, y);
  { trained.parameters() } -> std::same_as<Parameters<typename L::scalar>>;
};
// clang-format on

}  // namespace lrqat

#endif  // LRQAT_CONCEPT_LINEAR_LAYER_HPP
