// SPDX-License-Identifier: MIT
// linear/behind_input.hpp: a layer of any type behind a quantizer of its input, token by token.
#ifndef LRQAT_LINEAR_BEHIND_INPUT_HPP
#define LRQAT_LINEAR_BEHIND_INPUT_HPP

#include <lrqat/core/matrix_view.hpp>
#include <lrqat/core/parameter.hpp>
#include <lrqat/core/scratch.hpp>
#include <lrqat/input/any_input.hpp>
#include <lrqat/linear/any_linear.hpp>
#include <lrqat/linear/input_passes.hpp>  // for_each_token
#include <lrqat/linear/layer_bytes.hpp>

#include <cstddef>
#include <utility>

namespace lrqat::detail {

/// y = layer(Q_t(x_t)). Gradients pass Q straight through, but where it clips.
///
///   Derived::input_of(t)      const AnyInput&, what quantizes token t
///   Derived::expect_tokens(n) optional: throws where a pass of n tokens is not expected
template <class Derived>
class BehindInput {
 public:
  using scalar = float;

  std::size_t in_features() const { return layer_.in_features(); }
  std::size_t out_features() const { return layer_.out_features(); }
  /// The layer behind the quantizer.
  const AnyLinear& layer() const { return layer_; }

  /// x (tokens, in) -> y (tokens, out), overwritten.
  void forward(MatrixView<const float> x, MatrixView<float> y) const {
    layer_.forward(quantized(x), y);
  }

  /// The x of forward and dL/dy (tokens, out) -> dL/dx (tokens, in), overwritten.
  void backward(MatrixView<const float> x, MatrixView<const float> grad_y,
                MatrixView<float> grad_x) {
    layer_.backward(quantized(x), grad_y, grad_x);
    for_each_token(x.rows, [&](std::size_t t) {
      derived().input_of(t).backward(x.row(t), grad_x.row(t));
    });
  }

  Parameters<float> parameters() { return layer_.parameters(); }
  void after_step() { layer_.after_step(); }
  LayerBytes bytes() const { return layer_.bytes(); }

 protected:
  explicit BehindInput(AnyLinear layer) : layer_(std::move(layer)) {}
  void expect_tokens(std::size_t) const {}

 private:
  struct slot;  // one for each Derived, which may stand behind another

  const Derived& derived() const { return static_cast<const Derived&>(*this); }

  MatrixView<const float> quantized(MatrixView<const float> x) const {
    derived().expect_tokens(x.rows);
    const auto x_hat = scratch<slot>(x.rows, x.cols);
    for_each_token(x.rows, [&](std::size_t t) {
      derived().input_of(t).forward(x.row(t), x_hat.row(t));
    });
    return x_hat;
  }

  AnyLinear layer_;
};

}  // namespace lrqat::detail

#endif  // LRQAT_LINEAR_BEHIND_INPUT_HPP
