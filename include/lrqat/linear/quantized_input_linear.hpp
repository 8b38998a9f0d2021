// SPDX-License-Identifier: MIT
// linear/quantized_input_linear.hpp: quantized activations in front of any layer, chosen at run
// time.
#ifndef LRQAT_LINEAR_QUANTIZED_INPUT_LINEAR_HPP
#define LRQAT_LINEAR_QUANTIZED_INPUT_LINEAR_HPP

#include <lrqat/concept/linear_layer.hpp>
#include <lrqat/core/expects.hpp>
#include <lrqat/core/scratch.hpp>
#include <lrqat/input/any_input.hpp>
#include <lrqat/linear/any_linear.hpp>
#include <lrqat/linear/input_passes.hpp>  // for_each_token
#include <lrqat/linear/layer_bytes.hpp>

#include <utility>

namespace lrqat {

/// y = layer(Q(x)), Q token by token: what the policy Input does inside a QuantLinear, around a
/// layer whose type is not known. Gradients pass Q straight through, but where it clips.
class QuantizedInputLinear {
 public:
  using scalar = float;

  /// Errors: an input of no bits, or of bits that nothing quantizes to.
  QuantizedInputLinear(AnyLinear layer, const AnyInput& input)
      : layer_(std::move(layer)), input_(input) {
    input_.check("QuantizedInputLinear: inputs");
    expects(input_.quantizes(), "QuantizedInputLinear: an input of 0 bits is not quantized; use ",
            "the layer alone");
  }

  std::size_t in_features() const { return layer_.in_features(); }
  std::size_t out_features() const { return layer_.out_features(); }
  const AnyInput& input() const { return input_; }
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
    detail::for_each_token(x.rows,
                           [&](std::size_t t) { input_.backward(x.row(t), grad_x.row(t)); });
  }

  Parameters<float> parameters() { return layer_.parameters(); }
  void after_step() { layer_.after_step(); }
  LayerBytes bytes() const { return layer_.bytes(); }

  /// The merged layer behind the same quantizer: the same bits.
  /// @throws Error for a layer that has no codes to merge into
  QuantizedInputLinear merge() const { return {layer_.merge(), input_}; }

 private:
  MatrixView<const float> quantized(MatrixView<const float> x) const {
    const auto x_hat = scratch<struct quantized_input_slot>(x.rows, x.cols);
    detail::for_each_token(x.rows, [&](std::size_t t) { input_.forward(x.row(t), x_hat.row(t)); });
    return x_hat;
  }

  AnyLinear layer_;
  AnyInput input_;
};

static_assert(LinearLayer<QuantizedInputLinear>);

}  // namespace lrqat

#endif  // LRQAT_LINEAR_QUANTIZED_INPUT_LINEAR_HPP
