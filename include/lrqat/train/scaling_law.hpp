// SPDX-License-Identifier: MIT
// train/scaling_law.hpp: the loss of quantization-aware training by model size, tokens, group size.
#ifndef LRQAT_TRAIN_SCALING_LAW_HPP
#define LRQAT_TRAIN_SCALING_LAW_HPP

#include <lrqat/core/expects.hpp>

#include <cmath>
#include <optional>
#include <span>

namespace lrqat {

/// L(N, D, G) = A / N^alpha + B / D^beta + E + delta(N, D, G), where
/// delta = k D^gamma_d (log2 G)^gamma_g / N^gamma_n is what quantization costs: "Scaling Law for
/// Quantization-Aware Training" (Chen et al. 2025, arXiv 2505.14302), on top of the law of
/// Hoffmann et al. 2022 for training in floating point.
///
/// N counts parameters, D training tokens, G the weights that share a scale; losses are nats for a
/// token. G = 1 is a model that is not quantized. With positive constants the error delta falls
/// with N and rises with D and G. Which parameters N counts is the user's choice, the same for all
/// runs. Constants hold for one way of quantizing and training; train/fit_scaling_law.hpp finds
/// them. The paper's own, for models of 74M parameters and more, are not repeated here.
struct ScalingLaw {
  double a = 0, alpha = 1;                              // what a finite model costs
  double b = 0, beta = 1;                               // what finite data costs
  double e = 0;                                         // what remains
  double k = 0, gamma_n = 0, gamma_d = 0, gamma_g = 1;  // what quantization costs

  /// The loss without quantization.
  /// @pre  parameters and tokens are finite and positive, here and below (checked)
  double float_loss(double parameters, double tokens) const {
    check(parameters, tokens, 1);
    return a / std::pow(parameters, alpha) + b / std::pow(tokens, beta) + e;
  }

  /// delta; 0 for groups of 1.  @pre  group_size is finite and at least 1 (checked)
  double quantization_error(double parameters, double tokens, double group_size) const {
    check(parameters, tokens, group_size);
    if (group_size == 1) return 0;
    return k * std::pow(tokens, gamma_d) * std::pow(std::log2(group_size), gamma_g) /
           std::pow(parameters, gamma_n);
  }

  double loss(double parameters, double tokens, double group_size) const {
    return float_loss(parameters, tokens) + quantization_error(parameters, tokens, group_size);
  }

  /// eff in (0, 1]: a quantized model of N parameters has the loss of a float one of eff N,
  /// eff = [A / (A + delta N^alpha)]^(1 / alpha), the multiplier in whose terms QuEST (Panferov et
  /// al. 2025, arXiv 2502.05003) states its law.  @pre  a and alpha are positive (checked)
  double effective_parameter_multiplier(double parameters, double tokens, double group_size) const {
    expects(a > 0 && alpha > 0, "ScalingLaw: with A = ", a, " and alpha = ", alpha,
            " a loss does not depend on the parameters; both must be positive");
    const double error = quantization_error(parameters, tokens, group_size);
    return std::pow(a / (a + error * std::pow(parameters, alpha)), 1 / alpha);
  }

  bool operator==(const ScalingLaw&) const = default;

 private:
  static void check(double parameters, double tokens, double group_size) {
    expects(std::isfinite(parameters) && parameters > 0 && std::isfinite(tokens) && tokens > 0,
            "ScalingLaw: ", parameters, " parameters and ", tokens,
            " tokens; both must be finite and positive");
    expects(std::isfinite(group_size) && group_size >= 1, "ScalingLaw: a group of ", group_size,
            " weights; it must be finite and at least 1");
  }
};

/// The coarsest of `candidates`, so the one with the fewest scales, whose predicted quantization
/// error is at most `budget` nats; nothing where even the finest costs more.
/// @pre  there are candidates, budget >= 0 (checked)
inline std::optional<double> coarsest_group_size(const ScalingLaw& law, double parameters,
                                                 double tokens, double budget,
                                                 std::span<const double> candidates) {
  expects(budget >= 0, "coarsest_group_size: a budget of ", budget,
          " nats; it must not be negative");
  expects(!candidates.empty(), "coarsest_group_size: there is no group size to choose from");
  std::optional<double> coarsest;
  for (const double group_size : candidates)
    if (law.quantization_error(parameters, tokens, group_size) <= budget &&
        (!coarsest || group_size > *coarsest))
      coarsest = group_size;
  return coarsest;
}

}  // namespace lrqat

#endif  // LRQAT_TRAIN_SCALING_LAW_HPP
