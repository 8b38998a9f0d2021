// SPDX-License-Identifier: MIT
// initializer/mean_magnitude.hpp: scales of one to two bits from the mean of |w|.
#ifndef LRQAT_INITIALIZER_MEAN_MAGNITUDE_HPP
#define LRQAT_INITIALIZER_MEAN_MAGNITUDE_HPP

#include <lrqat/concept/initializer.hpp>
#include <lrqat/grid/mid_rise.hpp>
#include <lrqat/grid/offset.hpp>
#include <lrqat/grid/ternary.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <span>

namespace lrqat {

/// The mean of |w| in double, in the order of the weights; 0 of nothing.
inline double mean_magnitude(std::span<const float> group) {
  double sum = 0;
  for (const float weight : group) sum += std::fabs(static_cast<double>(weight));
  return group.empty() ? 0.0 : sum / static_cast<double>(group.size());
}

/// m = mean |w|: +-m on one bit (the best scale of a sign), +-m/2 and +-3m/2 on two (LLM-QAT, Liu et
/// al., arXiv 2305.17888: 2 m times 1/4 and 3/4). Of a sign with an offset mu that is the group's mean:
/// mu +- mean |w - mu| (XNOR-Net's, in PB-LLM's post-training form).
struct MeanMagnitude {
  using policy_kind = kind::initializer;

  template <Grid G>
  requires(std::same_as<G, MidRise<1>> ||
           std::same_as<G, MidRise<2>> ||
           std::same_as<G, Offset<Sign>>) static QParams choose(std::span<const float> group) {
    if constexpr (has_offset<G>) return around_mean(group);
    constexpr double steps = std::same_as<G, MidRise<2>> ? 1.0 : 2.0;
    return {std::max(static_cast<float>(steps * mean_magnitude(group)), scale_floor)};
  }

 private:
  static QParams around_mean(std::span<const float> group) {
    double sum = 0, spread = 0;
    for (const float weight : group) sum += static_cast<double>(weight);
    const auto count = static_cast<double>(std::max<std::size_t>(group.size(), 1));
    const auto mean = static_cast<float>(sum / count);
    for (const float weight : group) spread += std::fabs(static_cast<double>(weight - mean));
    return {std::max(static_cast<float>(2 * spread / count), scale_floor), 0.0f, mean};
  }
};

/// Ternary weight networks (Li and Liu, arXiv 1605.04711): the threshold is 0.7 mean |w|, and the
/// scale the mean |w| of the weights beyond it.
struct TwnScale {
  using policy_kind = kind::initializer;

  template <Grid G>
  requires(std::same_as<G, Ternary>) static QParams choose(std::span<const float> group) {
    // In float, as the grid will compare: level = 0 where w / step rounds to 0.
    const float step = std::max(static_cast<float>(1.4 * mean_magnitude(group)), scale_floor);
    double sum = 0;
    std::size_t survivors = 0;
    for (const float weight : group)
      if (G::round(weight / step) != 0.0f) {
        sum += std::fabs(static_cast<double>(weight));
        ++survivors;
      }
    const double mean = survivors == 0 ? 0.0 : sum / static_cast<double>(survivors);
    return {.scale = std::max(static_cast<float>(mean), scale_floor), .step = step};
  }
};

static_assert(InitializerOf<MeanMagnitude, Sign> && InitializerOf<TwnScale, Ternary>);

}  // namespace lrqat

#endif  // LRQAT_INITIALIZER_MEAN_MAGNITUDE_HPP
