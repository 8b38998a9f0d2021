// SPDX-License-Identifier: MIT
// linear/dense_linear.hpp: the plain linear layer, trained or frozen: baseline and control.
#ifndef LRQAT_LINEAR_DENSE_LINEAR_HPP
#define LRQAT_LINEAR_DENSE_LINEAR_HPP

#include <lrqat/concept/linear_layer.hpp>
#include <lrqat/core/aligned.hpp>
#include <lrqat/core/expects.hpp>
#include <lrqat/linear/dense_product.hpp>
#include <lrqat/linear/layer_bytes.hpp>

#include <algorithm>
#include <cstddef>
#include <span>

namespace lrqat {

/// Whether a tensor has a gradient and is handed to an optimizer.
enum class Training { frozen, trained };

struct DenseOptions {
  Training training = Training::trained;
  std::span<const float> bias = {};  // (out), or empty for none
};

/// y = x W^T (+ bias) in T = float or double. Not quantized in any way: the FP32 baseline, and the
/// control that separates the effect of training from that of quantization.
template <class T = float>
class DenseLinear {
 public:
  using scalar = T;

  /// @param weight  (out, in), copied
  explicit DenseLinear(MatrixView<const float> weight, DenseOptions options = {})
      : out_(weight.rows),
        in_(weight.cols),
        training_(options.training),
        bias_(options.bias.begin(), options.bias.end()) {
    expects(bias_.empty() || bias_.size() == out_, "DenseLinear: the weight has ", out_,
            " rows, the bias ", bias_.size(), " numbers");
    weight_.reserve(out_ * in_);
    for (std::size_t row = 0; row < out_; ++row)
      weight_.insert(weight_.end(), weight.row(row).begin(), weight.row(row).end());
    if (training_ == Training::trained) {
      grad_weight_.resize(weight_.size());
      grad_bias_.resize(bias_.size());
    }
  }

  std::size_t in_features() const { return in_; }
  std::size_t out_features() const { return out_; }
  MatrixView<const T> weight() const { return {weight_.data(), out_, in_}; }  // (out, in)
  std::span<const T> bias() const { return bias_; }                           // (out) or empty

  /// x (tokens, in), y (tokens, out), overwritten.
  void forward(MatrixView<const T> x, MatrixView<T> y) const {
    dense_forward<T>(x, weight(), y);
    if (bias_.empty()) return;
    for (std::size_t row = 0; row < y.rows; ++row)
      for (std::size_t col = 0; col < out_; ++col) y(row, col) += bias_[col];
  }

  /// Overwrites grad_x (tokens, in); adds to the gradients unless frozen.
  void backward(MatrixView<const T> x, MatrixView<const T> grad_y, MatrixView<T> grad_x) {
    dense_input_gradient<T>(grad_y, weight(), grad_x);
    if (training_ == Training::frozen) return;
    dense_weight_gradient<T>(x, grad_y, MatrixView<T>(grad_weight_.data(), out_, in_));
    if (bias_.empty()) return;
    for (std::size_t row = 0; row < grad_y.rows; ++row)
      for (std::size_t col = 0; col < out_; ++col) grad_bias_[col] += grad_y(row, col);
  }

  /// "weight" and, where there is one, "bias"; none when frozen.
  Parameters<T> parameters() {
    Parameters<T> all;
    if (training_ == Training::frozen) return all;
    all.push_back({"weight", Role::weight, weight_, grad_weight_});
    if (!bias_.empty()) all.push_back({"bias", Role::bias, bias_, grad_bias_});
    return all;
  }

  LayerBytes bytes() const {
    LayerBytes parts;
    (training_ == Training::frozen ? parts.base : parts.adapter) = weight_.size() * sizeof(T);
    parts.bias = bias_.size() * sizeof(T);
    parts.gradients = (grad_weight_.size() + grad_bias_.size()) * sizeof(T);
    return parts;
  }

 private:
  std::size_t out_, in_;
  Training training_;
  AlignedVector<T> weight_, grad_weight_;  // (out, in)
  AlignedVector<T> bias_, grad_bias_;      // (out) or empty
};

static_assert(LinearLayer<DenseLinear<float>>);
static_assert(LinearLayer<DenseLinear<double>>);

}  // namespace lrqat

#endif  // LRQAT_LINEAR_DENSE_LINEAR_HPP
