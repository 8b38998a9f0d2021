// SPDX-License-Identifier: MIT
// linear/token_adaptive_linear.hpp: a layer whose input has one of two widths, token by token.
#ifndef LRQAT_LINEAR_TOKEN_ADAPTIVE_LINEAR_HPP
#define LRQAT_LINEAR_TOKEN_ADAPTIVE_LINEAR_HPP

#include <lrqat/concept/linear_layer.hpp>
#include <lrqat/core/expects.hpp>
#include <lrqat/core/scratch.hpp>
#include <lrqat/input/token_adaptive.hpp>
#include <lrqat/linear/any_linear.hpp>
#include <lrqat/linear/input_passes.hpp>  // for_each_token
#include <lrqat/linear/layer_bytes.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace lrqat {

/// y = layer(Q(x)), Q a TokenAdaptive that sees each token's mark. Marks are set from outside
/// (TokenMarking), for the passes that follow, and there are none at first: then it is a
/// QuantizedInputLinear of the high width, to the bit.
class TokenAdaptiveLinear {
 public:
  using scalar = float;

  /// Errors: widths that TokenAdaptive refuses.
  explicit TokenAdaptiveLinear(AnyLinear layer, const TokenAdaptive& input = {})
      : layer_(std::move(layer)), input_(input) {
    input_.check();
  }

  std::size_t in_features() const { return layer_.in_features(); }
  std::size_t out_features() const { return layer_.out_features(); }
  const TokenAdaptive& input() const { return input_; }
  const AnyLinear& layer() const { return layer_; }

  /// @param marks  (tokens) not 0 where the low width is to be used; empty: nowhere
  void set_marks(std::span<const std::uint8_t> marks) { marks_.assign(marks.begin(), marks.end()); }
  std::span<const std::uint8_t> marks() const { return marks_; }

  /// x (tokens, in) -> y (tokens, out), overwritten. Errors: marks of another number of tokens.
  void forward(MatrixView<const float> x, MatrixView<float> y) const {
    layer_.forward(quantized(x), y);
  }

  /// The x of forward and dL/dy (tokens, out) -> dL/dx (tokens, in), overwritten.
  void backward(MatrixView<const float> x, MatrixView<const float> grad_y,
                MatrixView<float> grad_x) {
    layer_.backward(quantized(x), grad_y, grad_x);
    detail::for_each_token(
        x.rows, [&](std::size_t t) { input_.backward(is_marked(t), x.row(t), grad_x.row(t)); });
  }

  Parameters<float> parameters() { return layer_.parameters(); }
  void after_step() { layer_.after_step(); }
  LayerBytes bytes() const { return layer_.bytes(); }

  /// The merged layer behind the same quantizer, without marks: the same bits under the same marks.
  /// @throws Error for a layer that has no codes to merge into
  TokenAdaptiveLinear merge() const { return TokenAdaptiveLinear(layer_.merge(), input_); }

 private:
  bool is_marked(std::size_t token) const { return !marks_.empty() && marks_[token] != 0; }

  MatrixView<const float> quantized(MatrixView<const float> x) const {
    expects(marks_.empty() || marks_.size() == x.rows, "TokenAdaptiveLinear: ", marks_.size(),
            " marks for ", x.rows, " tokens");
    const auto x_hat = scratch<struct token_adaptive_slot>(x.rows, x.cols);
    detail::for_each_token(
        x.rows, [&](std::size_t t) { input_.forward(is_marked(t), x.row(t), x_hat.row(t)); });
    return x_hat;
  }

  AnyLinear layer_;
  TokenAdaptive input_;
  std::vector<std::uint8_t> marks_;
};

static_assert(LinearLayer<TokenAdaptiveLinear>);

}  // namespace lrqat

#endif  // LRQAT_LINEAR_TOKEN_ADAPTIVE_LINEAR_HPP
