// SPDX-License-Identifier: MIT
// linear/input_passes.hpp: input quantization and bias over all tokens of a batch.
#ifndef LRQAT_LINEAR_INPUT_PASSES_HPP
#define LRQAT_LINEAR_INPUT_PASSES_HPP

#include <lrqat/backend/parallel_for.hpp>
#include <lrqat/concept/input_quantizer.hpp>
#include <lrqat/core/matrix_view.hpp>
#include <lrqat/core/scratch.hpp>

#include <algorithm>
#include <span>

namespace lrqat {

namespace detail {

/// Whether a layer has a policy that quantizes its input.
template <class Layer>
inline constexpr bool quantizes_input = false;
template <class Layer>
requires requires { requires Layer::input::quantizes; }
inline constexpr bool quantizes_input<Layer> = true;

template <class F>
void for_each_token(std::size_t tokens, F f) {
  constexpr std::size_t piece = 64;
  parallel_for((tokens + piece - 1) / piece, [&](std::size_t task) {
    for (std::size_t t = task * piece; t < std::min(tokens, (task + 1) * piece); ++t) f(t);
  });
}

}  // namespace detail

/// x itself, or its fake-quantized value in this thread's scratch.
template <InputQuantizer In>
MatrixView<const float> quantized_input(MatrixView<const float> x) {
  if constexpr (In::quantizes) {
    const auto x_hat = scratch<struct x_hat_slot>(x.rows, x.cols);
    detail::for_each_token(x.rows, [&](std::size_t t) { In::forward(x.row(t), x_hat.row(t)); });
    return x_hat;
  } else {
    return x;
  }
}

/// Turns dL/dx_hat into dL/dx in place.
template <InputQuantizer In>
void input_gradient(MatrixView<const float> x, MatrixView<float> grad_x) {
  if constexpr (In::quantizes)
    detail::for_each_token(x.rows, [&](std::size_t t) { In::backward(x.row(t), grad_x.row(t)); });
}

/// y += bias in every row; an empty bias is none.
inline void add_bias(std::span<const float> bias, MatrixView<float> y) {
  if (bias.empty()) return;
  detail::for_each_token(y.rows, [&](std::size_t t) {
    for (std::size_t i = 0; i < bias.size(); ++i) y(t, i) += bias[i];
  });
}

}  // namespace lrqat

#endif  // LRQAT_LINEAR_INPUT_PASSES_HPP
