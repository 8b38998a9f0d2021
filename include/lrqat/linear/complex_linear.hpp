// SPDX-License-Identifier: MIT
// linear/complex_linear.hpp: linear layers of complex weights on two bits a stage.
#ifndef LRQAT_LINEAR_COMPLEX_LINEAR_HPP
#define LRQAT_LINEAR_COMPLEX_LINEAR_HPP

#include <lrqat/backend/cpu.hpp>
#include <lrqat/concept/input_quantizer.hpp>
#include <lrqat/concept/linear_layer.hpp>
#include <lrqat/core/expects.hpp>
#include <lrqat/input/no_input.hpp>
#include <lrqat/linear/input_passes.hpp>
#include <lrqat/linear/layer_bytes.hpp>
#include <lrqat/parameterization/complex_codes.hpp>
#include <lrqat/parameterization/complex_weight.hpp>

#include <algorithm>
#include <cstddef>
#include <utility>

namespace lrqat {

namespace detail {

template <class Weight>
struct complex_codes;
template <std::size_t Stages, class Gran, class... Forms>
struct complex_codes<ComplexWeight<Stages, Gran, Forms...>> {
  using type = ComplexCodes<Stages, Gran, Forms...>;
};

inline void expect_complex_shapes(const char* pass, Shape weight, MatrixView<const float> x,
                                  Shape y) {
  expects(x.cols == weight.cols && y.cols == weight.rows && x.rows == y.rows, pass, ": x is (",
          x.rows, ", ", x.cols, ") and y (", y.rows, ", ", y.cols, "), the weight (out, in) is (",
          weight.rows, ", ", weight.cols, "), counted in reals");
}

}  // namespace detail

/// A trained ComplexLinear with nothing but its codes and scales.
template <class Codes, InputQuantizer In, Backend B>
class MergedComplexLinear {
 public:
  using scalar = float;
  explicit MergedComplexLinear(Codes codes) : codes_(std::move(codes)) {}

  std::size_t out_features() const { return codes_.shape().rows; }
  std::size_t in_features() const { return codes_.shape().cols; }
  const Codes& weight() const { return codes_; }

  /// As ComplexLinear's, to the bit.
  void forward(MatrixView<const float> x, MatrixView<float> y) const {
    detail::expect_complex_shapes("MergedComplexLinear::forward", codes_.shape(), x, y.shape());
    B::forward(codes_, quantized_input<In>(x), y);
  }
  LayerBytes bytes() const { return {.base = codes_.code_bytes(), .scales = codes_.scale_bytes()}; }

 private:
  Codes codes_;
};

/// y = W Q(x) on complex numbers whose parts take turns, real first: x (tokens, in) holds in / 2 of
/// them, y (tokens, out) out / 2. W is what Weight makes of its forms: W x, W conj(x), or both and
/// so any real-linear map. To a model it is a layer of reals.
/// @tparam Weight  ComplexWeight<...>
template <class Weight, InputQuantizer In = NoInput, Backend B = Cpu>
class ComplexLinear {
 public:
  using scalar = float;
  using merged = MergedComplexLinear<typename detail::complex_codes<Weight>::type, In, B>;

  /// @param weights  one complex matrix (out / 2, in) for each form, parts beside each other
  /// @throws Error like ComplexWeight
  explicit ComplexLinear(const typename Weight::Matrices& weights, const QuantOptions& options = {})
      : weight_(weights, options) {}

  std::size_t out_features() const { return weight_.shape().rows; }
  std::size_t in_features() const { return weight_.shape().cols; }
  const Weight& weight() const { return weight_; }

  /// x (tokens, in) -> y (tokens, out), overwritten.
  /// @throws Error when the shapes do not fit
  void forward(MatrixView<const float> x, MatrixView<float> y) const {
    detail::expect_complex_shapes("ComplexLinear::forward", weight_.shape(), x, y.shape());
    B::forward(weight_, quantized_input<In>(x), y);
  }
  /// Overwrites grad_x (tokens, in); adds to the gradients of parameters().
  /// @throws Error when the shapes do not fit
  void backward(MatrixView<const float> x, MatrixView<const float> grad_y,
                MatrixView<float> grad_x) {
    detail::expect_complex_shapes("ComplexLinear::backward", weight_.shape(), x, grad_y.shape());
    expects(grad_x.shape() == x.shape(), "ComplexLinear::backward: grad_x is (", grad_x.rows, ", ",
            grad_x.cols, "), x is (", x.rows, ", ", x.cols, ")");
    B::backward(weight_, quantized_input<In>(x), grad_y, grad_x);
    input_gradient<In>(x, grad_x);
  }

  Parameters<float> parameters() { return weight_.parameters(); }
  void zero_gradients() {
    for (const Parameter<float>& each : parameters())
      std::fill(each.gradient.begin(), each.gradient.end(), 0.0f);
  }
  /// Measures the scales again. Call it whenever parameters have got new values.
  /// @throws Error when a weight is not finite
  void after_step() { weight_.measure(); }

  /// Exact: forward gives the same bits.
  /// @throws Error when a weight is not finite
  merged merge() const { return merged(typename detail::complex_codes<Weight>::type(weight_)); }

  LayerBytes bytes() const {
    LayerBytes parts;
    parts.adapter = Weight::forms * weight_.shape().size() / 2 * sizeof(float);
    parts.gradients = parts.adapter;
    for (std::size_t form = 0; form < Weight::forms; ++form)
      parts.scales += weight_.scales(form).size_bytes();
    return parts;
  }

 private:
  Weight weight_;
};

}  // namespace lrqat

#endif  // LRQAT_LINEAR_COMPLEX_LINEAR_HPP
