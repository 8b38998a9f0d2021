// SPDX-License-Identifier: MIT
// train/sharpness_aware.hpp: a training step that also looks at the loss uphill of the parameters.
#ifndef LRQAT_TRAIN_SHARPNESS_AWARE_HPP
#define LRQAT_TRAIN_SHARPNESS_AWARE_HPP

#include <lrqat/core/aligned.hpp>
#include <lrqat/core/expects.hpp>
#include <lrqat/core/numeric.hpp>  // fused_multiply_add
#include <lrqat/core/parameter.hpp>
#include <lrqat/optim/clip.hpp>  // gradient_norm

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <functional>
#include <span>
#include <utility>

namespace lrqat {

struct SharpnessAwareOptions {
  double rho = 0.05;         // how far uphill, in the L2 norm of all parameters together
  double task_weight = 0.0;  // of the gradient where the parameters are; 0: SAM, 1: GAQAT
  /// Called when the gradients are those of one batch where the parameters are, before they are
  /// weighted: to see them, or to filter them (ScaleFreezing).
  std::function<void()> task_gradients{};
  std::function<void()> after_step{};  // the model's, where it has one: whenever parameters change
};

/// A MicroStep (train/trainer.hpp) made of two passes of another: with g the gradient of the batch
/// at the parameters w, its gradient is
///   task_weight g + (gradient at w + rho g / |g|),
/// the second alone being sharpness-aware minimization (Foret et al., arXiv 2010.01412), both
/// together the loss of GAQAT (arXiv 2412.05551): task and flatness. The loss it returns is that at
/// w, and w has its bits back after it, also after an error. Each batch of a step climbs for
/// itself. Where g is 0 both passes are at w. It keeps two copies of the trained numbers.
///
/// @param parameters  everything that is perturbed and has gradients; must outlive it
template <class Step>
class SharpnessAware {
 public:
  /// Errors: rho or a weight that is negative or not finite.
  SharpnessAware(Step step, Parameters<float> parameters, SharpnessAwareOptions options = {})
      : step_(std::move(step)), parameters_(std::move(parameters)), options_(std::move(options)) {
    const auto fits = [](double x) { return std::isfinite(x) && x >= 0; };
    expects(fits(options_.rho) && fits(options_.task_weight), "SharpnessAware: rho is ",
            options_.rho, " and the weight of the task ", options_.task_weight,
            "; neither may be negative");
    std::size_t total = 0;
    for (const Parameter<float>& each : parameters_) total += each.value.size();
    values_.resize(total);
    gradients_.resize(total);
  }

  template <std::integral Id>
  double operator()(std::span<const Id> inputs, std::span<const Id> targets, std::size_t batch,
                    std::size_t length, float gradient_scale) {
    for_each([](const Parameter<float>& each, std::span<float>, std::span<float> before) {
      std::copy(each.gradient.begin(), each.gradient.end(), before.begin());
    });
    clear();
    const double loss = step_(inputs, targets, batch, length, gradient_scale);
    const Uphill moved(*this, gradient_norm(parameters_));
    if (options_.task_gradients) options_.task_gradients();
    const float weight = static_cast<float>(options_.task_weight);
    if (weight != 0)
      for_each([=](const Parameter<float>& each, std::span<float>, std::span<float> before) {
        for (std::size_t i = 0; i < before.size(); ++i)
          before[i] = fused_multiply_add(weight, each.gradient[i], before[i]);
      });
    clear();
    settle();
    step_(inputs, targets, batch, length, gradient_scale);
    for_each([](const Parameter<float>& each, std::span<float>, std::span<float> before) {
      for (std::size_t i = 0; i < before.size(); ++i) each.gradient[i] += before[i];
    });
    return loss;
  }

 private:
  /// While it lives, the parameters are rho uphill.
  class Uphill {
   public:
    Uphill(SharpnessAware& all, double norm) : all_(all) {
      // In double: of a tiny norm it is beyond float.
      const double factor = norm > 0 ? all.options_.rho / norm : 0.0;
      all.for_each([=](const Parameter<float>& each, std::span<float> values, std::span<float>) {
        std::copy(each.value.begin(), each.value.end(), values.begin());
        for (std::size_t i = 0; i < values.size(); ++i)
          each.value[i] += static_cast<float>(factor * static_cast<double>(each.gradient[i]));
      });
    }
    ~Uphill() {
      all_.for_each([](const Parameter<float>& each, std::span<float> values, std::span<float>) {
        std::copy(values.begin(), values.end(), each.value.begin());
      });
      all_.settle();  // the parameters that it follows were there before
    }
    Uphill(const Uphill&) = delete;
    Uphill& operator=(const Uphill&) = delete;

   private:
    SharpnessAware& all_;
  };

  void settle() const {
    if (options_.after_step) options_.after_step();
  }
  void clear() const {
    for (const Parameter<float>& each : parameters_)
      std::fill(each.gradient.begin(), each.gradient.end(), 0.0f);
  }
  /// f(parameter, its part of values_, its part of gradients_).
  template <class F>
  void for_each(const F& f) {
    std::size_t first = 0;
    for (const Parameter<float>& each : parameters_) {
      const std::size_t size = each.value.size();
      f(each, std::span<float>(values_).subspan(first, size),
        std::span<float>(gradients_).subspan(first, size));
      first += size;
    }
  }

  Step step_;
  Parameters<float> parameters_;
  SharpnessAwareOptions options_;
  AlignedVector<float> values_, gradients_;  // where the parameters were; of the batches before
};

}  // namespace lrqat

#endif  // LRQAT_TRAIN_SHARPNESS_AWARE_HPP
