// SPDX-License-Identifier: MIT
// train/detail/power_sum.hpp: how far a sum of power laws is from measured losses.
#ifndef LRQAT_TRAIN_DETAIL_POWER_SUM_HPP
#define LRQAT_TRAIN_DETAIL_POWER_SUM_HPP

#include <cmath>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace lrqat::detail {

/// One term exp(c + sum_j exp(p_j) feature_j): a power law where features are logarithms. With the
/// exponents' logarithms as unknowns every exponent is positive; what falls has a negative feature.
struct PowerTerm {
  std::vector<std::vector<double>> features{};  // [j][point]
};

/// The mean over points of h(log(base + sum of terms) - log loss), where h is Huber's loss: r^2 / 2
/// up to |r| = width and width (|r| - width / 2) beyond; divided by width^2, so that an error of
/// `width` counts 1/2. Unknowns: for each term c, then p_0, p_1, ...
class PowerSumError {
 public:
  /// @param base  (points) what the terms are added to   @param losses  (points)
  PowerSumError(std::vector<PowerTerm> terms, std::vector<double> base,
                const std::vector<double>& losses, double width)
      : terms_(std::move(terms)), base_(std::move(base)), width_(width) {
    for (const double loss : losses) log_loss_.push_back(std::log(loss));
  }

  std::size_t unknowns() const {
    std::size_t count = 0;
    for (const PowerTerm& term : terms_) count += 1 + term.features.size();
    return count;
  }

  /// @param x  (unknowns)   @param gradient  (unknowns), written
  double operator()(std::span<const double> x, std::span<double> gradient) const {
    const std::size_t points = base_.size();
    std::vector<double> exponents(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
      exponents[i] = std::exp(x[i]);
      gradient[i] = 0;
    }
    std::vector<double> values(terms_.size());
    double sum = 0;
    for (std::size_t point = 0; point < points; ++point) {
      double all = base_[point];
      std::size_t at = 0;
      for (std::size_t t = 0; t < terms_.size(); ++t) {
        const auto& features = terms_[t].features;
        double power = x[at];
        for (std::size_t j = 0; j < features.size(); ++j)
          power += exponents[at + 1 + j] * features[j][point];
        all += values[t] = std::exp(power);
        at += 1 + features.size();
      }
      const double r = (std::log(all) - log_loss_[point]) / width_;
      const bool is_small = std::abs(r) <= 1;
      sum += is_small ? r * r / 2 : std::abs(r) - 0.5;
      const double slope = (is_small ? r : std::copysign(1.0, r)) / (width_ * all);
      at = 0;
      for (std::size_t t = 0; t < terms_.size(); ++t) {
        const auto& features = terms_[t].features;
        gradient[at] += slope * values[t];
        for (std::size_t j = 0; j < features.size(); ++j)
          gradient[at + 1 + j] += slope * values[t] * exponents[at + 1 + j] * features[j][point];
        at += 1 + features.size();
      }
    }
    for (double& g : gradient) g /= static_cast<double>(points);
    return sum / static_cast<double>(points);
  }

 private:
  std::vector<PowerTerm> terms_;
  std::vector<double> base_, log_loss_;
  double width_;
};

}  // namespace lrqat::detail

#endif  // LRQAT_TRAIN_DETAIL_POWER_SUM_HPP
