// SPDX-License-Identifier: MIT
// examples/lab/recipe.hpp: how a scheme is trained when the command line does not say otherwise.
#ifndef LRQAT_LAB_RECIPE_HPP
#define LRQAT_LAB_RECIPE_HPP

#include "model.hpp"
#include "scheme.hpp"

#include <lrqat/nn/llama_frame.hpp>  // Recompute

#include <cstddef>
#include <cstdint>
#include <optional>

namespace lrqat::lab {

/// AdamW (0.9, 0.95) without decay; rates rise over the first tenth of the steps and fall linearly
/// to 0; gradients are clipped to norm 1.
struct Recipe {
  std::uint64_t steps = 240;
  std::size_t batch = 4;                       // windows in one pass
  std::size_t accumulate = 1;                  // passes in one step
  std::size_t context = 0;                     // tokens of a window; 0: the model's context
  std::optional<double> rate{}, scale_rate{};  // instead of learning_rates()
  Recompute recompute = Recompute::keep;
};

struct LearningRates {
  double main = 0;   // of adapters, or of weights where they are trained
  double scale = 0;  // of scales
};

/// Rates that suit runs of some hundred steps, by method and bits; found on development text with
/// stories260K. They are far above those of long runs: a step of an adapter at alpha / r = 1/8
/// moves a level by little.
inline LearningRates learning_rates(const Scheme& scheme) {
  const int bits = scheme.bits;
  switch (scheme.method) {
    case Method::fp32_tuned:
      return {1e-4, 0};
    case Method::peqa:
      return {0, bits == 2 ? 1e-2 : bits == 3 ? 2e-3 : 3e-4};
    case Method::full_qat:
      return {bits == 2 ? 3e-3 : bits == 3 ? 1e-3 : 5e-4, bits == 2 ? 1e-3 : 3e-4};
    case Method::lr_qat:
      if (scheme.weight_domain) return {1e-2, bits == 2 ? 5e-3 : 3e-4};
      return {bits == 2 ? 6e-2 : 3e-2, bits == 2 ? 5e-3 : bits == 3 ? 2e-3 : 3e-4};
    default:
      return {};
  }
}

}  // namespace lrqat::lab

#endif  // LRQAT_LAB_RECIPE_HPP
