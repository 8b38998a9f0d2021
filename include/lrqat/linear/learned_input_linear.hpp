// SPDX-License-Identifier: MIT
// linear/learned_input_linear.hpp: a layer behind a quantizer of its input that learns.
#ifndef LRQAT_LINEAR_LEARNED_INPUT_LINEAR_HPP
#define LRQAT_LINEAR_LEARNED_INPUT_LINEAR_HPP

#include <lrqat/concept/grid.hpp>
#include <lrqat/concept/linear_layer.hpp>
#include <lrqat/core/aligned.hpp>
#include <lrqat/core/expects.hpp>
#include <lrqat/core/matrix_view.hpp>
#include <lrqat/core/numeric.hpp>
#include <lrqat/core/parameter.hpp>
#include <lrqat/core/scratch.hpp>
#include <lrqat/grid/uint.hpp>
#include <lrqat/input/token_quantizer.hpp>
#include <lrqat/kernel/reduce.hpp>
#include <lrqat/kernel/vectorised.hpp>
#include <lrqat/linear/detail/mergeable.hpp>
#include <lrqat/linear/input_passes.hpp>
#include <lrqat/linear/layer_bytes.hpp>

#include <cmath>
#include <concepts>
#include <cstddef>
#include <utility>

namespace lrqat {

/// y = layer(x_hat), x_hat = s_k (clip(round(x / s_k) + z_k, 0, 2^b - 1) - z_k): static
/// quantization of activations, one scale and zero point for all inputs of all tokens, both
/// learned. There is a pair for each of `steps` steps of a process that calls the layer again and
/// again (EfficientDM's denoising, He et al., arXiv 2310.03270); set_step() says which is at hand.
/// With IntegerZeroPoint z_k is rounded into the codes, its gradient passes straight through.
///
/// Where a code is inside its range the gradient of x passes; ds and dz are sums of G times the
/// slopes of TokenScale (LSQ without its factor). s has a floor of 1e-8. The layer may be a merged
/// one, which has no backward pass.
template <class Linear, class G = UInt<8>, class ZeroPoint = RealZeroPoint>
class LearnedInputLinear {
  static_assert(
      Grid<G> && G::has_zero_point,
      "LearnedInputLinear<Layer, Grid>: activations are quantized on an unsigned grid; write "
      "UInt<8>.");
  static_assert(!detail::quantizes_input<Linear>,
                "LearnedInputLinear: the layer quantizes its input for itself; leave Input<> out.");

 public:
  using scalar = float;
  using Scale = TokenScale<float>;
  static constexpr float code_max = static_cast<float>(G::code_max);
  /// Whether merge() exists: where the layer has it.
  static constexpr bool merges = detail::mergeable<Linear>;

  /// What quantizes values from `low` to `high` without clipping: where learning starts.
  /// @pre low <= high, both finite (checked)
  static Scale scale_of_range(float low, float high) {
    expects(std::isfinite(low) && std::isfinite(high) && low <= high,
            "LearnedInputLinear: inputs from ", low, " to ", high, " are no range");
    return token_of_range<ZeroPoint>(low, high, code_max);
  }

  /// @param start  of every step        @param steps  >= 1 (checked)
  /// Errors also: a scale that is not positive, a zero point that is not finite.
  LearnedInputLinear(Linear layer, Scale start, std::size_t steps = 1)
      : layer_(std::move(layer)),
        scale_(steps, start.scale),
        zero_point_(steps, start.zero_point),
        scale_gradient_(steps),
        zero_point_gradient_(steps) {
    expects(steps > 0, "LearnedInputLinear: 0 steps");
    expect_usable(start);
  }

  std::size_t in_features() const { return layer_.in_features(); }
  std::size_t out_features() const { return layer_.out_features(); }
  const Linear& layer() const { return layer_; }
  Linear& layer() { return layer_; }

  std::size_t steps() const { return scale_.size(); }
  std::size_t step() const { return step_; }
  /// For the passes that follow. Errors: no such step.
  void set_step(std::size_t step) {
    expects(step < steps(), "LearnedInputLinear::set_step: step ", step, " of ", steps());
    step_ = step;
  }

  /// What quantizes the inputs of a step, floor and rounding applied. @pre step < steps()
  Scale input_scale(std::size_t step) const {
    const float scale = scale_[step] < floor ? floor : scale_[step];
    if constexpr (std::same_as<ZeroPoint, IntegerZeroPoint>)
      return {scale, clamp(round_half_even(zero_point_[step]), 0.0f, code_max)};
    else
      return {scale, zero_point_[step]};
  }

  /// x (tokens, in) -> y (tokens, out), overwritten. Errors: shapes that do not fit.
  void forward(MatrixView<const float> x, MatrixView<float> y) const {
    layer_.forward(quantized(x), y);
  }

  /// The x of forward and dL/dy (tokens, out) -> dL/dx (tokens, in), overwritten; adds to the
  /// gradients of the step at hand and of the layer.
  void backward(MatrixView<const float> x, MatrixView<const float> grad_y,
                MatrixView<float> grad_x) requires LinearLayer<Linear> {
    layer_.backward(quantized(x), grad_y, grad_x);
    const Scale used = input_scale(step_);
    const auto sums = scratch<struct learned_sums_slot, double>(x.rows, 2);
    detail::for_each_token(x.rows, [&](std::size_t t) {
      const float* from = x.row(t).data();
      const float* grad = grad_x.row(t).data();
      double scale_sum = 0, zero_sum = 0;
      kernel::vectorised([&] {
        scale_sum = kernel::sum_over<double>(x.cols, [=](std::size_t i) LRQAT_INLINE_LAMBDA {
          return grad[i] * used.scale_slope(from[i], code_max);
        });
        zero_sum = kernel::sum_over<double>(x.cols, [=](std::size_t i) LRQAT_INLINE_LAMBDA {
          return grad[i] * used.zero_point_slope(from[i], code_max);
        });
        mask_token(used, code_max, x.row(t), grad_x.row(t));
      });
      sums(t, 0) = scale_sum;
      sums(t, 1) = zero_sum;
    });
    double scale_sum = 0, zero_sum = 0;
    for (std::size_t t = 0; t < x.rows; ++t) {
      scale_sum += sums(t, 0);
      zero_sum += sums(t, 1);
    }
    if (scale_[step_] >= floor) scale_gradient_[step_] += static_cast<float>(scale_sum);
    zero_point_gradient_[step_] += static_cast<float>(zero_sum);
  }

  /// The layer's, and "input.scale" and "input.zero_point" (steps).
  Parameters<float> parameters() requires LinearLayer<Linear> {
    Parameters<float> all = layer_.parameters();
    all.push_back({"input.scale", Role::input, scale_, scale_gradient_});
    all.push_back({"input.zero_point", Role::input, zero_point_, zero_point_gradient_});
    return all;
  }
  void after_step() requires requires(Linear& layer) { layer.after_step(); } {
    layer_.after_step();
  }

  LayerBytes bytes() const requires requires(const Linear& layer) { layer.bytes(); } {
    LayerBytes parts = layer_.bytes();
    parts.scales += 2 * steps() * sizeof(float);
    parts.gradients += 2 * steps() * sizeof(float);
    return parts;
  }

  /// The merged layer behind the same quantizer, at the same step: the same bits.
  auto merge() const requires merges {
    LearnedInputLinear<decltype(layer_.merge()), G, ZeroPoint> merged(layer_.merge(),
                                                                      input_scale(0), steps());
    for (std::size_t k = 0; k < steps(); ++k) merged.set_input_scale(k, input_scale(k));
    merged.set_step(step_);
    return merged;
  }

  /// Errors: no such step; a scale that is not positive, a zero point that is not finite.
  void set_input_scale(std::size_t step, Scale used) {
    expects(step < steps(), "LearnedInputLinear::set_input_scale: step ", step, " of ", steps());
    expect_usable(used);
    scale_[step] = used.scale;
    zero_point_[step] = used.zero_point;
  }

 private:
  static constexpr float floor = 1e-8f;

  static void expect_usable(Scale used) {
    expects(used.scale > 0 && std::isfinite(used.scale) && std::isfinite(used.zero_point),
            "LearnedInputLinear: a scale of ", used.scale, " with the zero point ",
            used.zero_point);
  }

  MatrixView<const float> quantized(MatrixView<const float> x) const {
    const auto x_hat = scratch<struct learned_input_slot>(x.rows, x.cols);
    const Scale used = input_scale(step_);
    detail::for_each_token(x.rows, [&](std::size_t t) {
      kernel::vectorised([&] { quantize_token(used, code_max, x.row(t), x_hat.row(t)); });
    });
    return x_hat;
  }

  Linear layer_;
  AlignedVector<float> scale_, zero_point_, scale_gradient_, zero_point_gradient_;  // (steps)
  std::size_t step_ = 0;
};

}  // namespace lrqat

#endif  // LRQAT_LINEAR_LEARNED_INPUT_LINEAR_HPP
