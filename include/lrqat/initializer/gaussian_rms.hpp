// SPDX-License-Identifier: MIT
// initializer/gaussian_rms.hpp: the scale that rounds normal numbers of a group's size best.
#ifndef LRQAT_INITIALIZER_GAUSSIAN_RMS_HPP
#define LRQAT_INITIALIZER_GAUSSIAN_RMS_HPP

#include <lrqat/concept/initializer.hpp>
#include <lrqat/core/config.hpp>
#include <lrqat/grid/mid_rise.hpp>
#include <lrqat/grid/ternary.hpp>
#include <lrqat/kernel/vectorised.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <span>

namespace lrqat {

/// Where the outermost level of a grid lies when it rounds N(0, 1) with the smallest mean squared
/// error: QuEST's constants, which from 6 bits on are published up to 1 % below the minimum. 0 for
/// grids that have none.
template <class G>
inline constexpr float gaussian_range = 0.0f;
template <int Bits>
inline constexpr float gaussian_range<MidRise<Bits>> = std::array{
    0.79788456f, 1.4935346f, 2.0510684f, 2.5139306f, 2.9160939f, 3.2765973f, 3.6010497f,
    3.8849387f}[Bits - 1];
template <>
inline constexpr float gaussian_range<Ternary> = 1.2240090f;

/// The root of the mean square, 0 of nothing. Products are exact and added in double, 32 sums in
/// a fixed order: the same bits on every instruction set.
inline float root_mean_square(std::span<const float> group) {
  constexpr std::size_t lanes = 32;
  double sums[lanes] = {};
  kernel::vectorised([&] {
    std::size_t first = 0;
    for (; first + lanes <= group.size(); first += lanes) {
      const float* const values = group.data() + first;
      LRQAT_PARTIALS
      for (std::size_t lane = 0; lane < lanes; ++lane) {
        const double value = static_cast<double>(values[lane]);
        sums[lane] += value * value;
      }
    }
    for (std::size_t lane = 0; first < group.size(); ++first, ++lane) {
      const double value = static_cast<double>(group[first]);
      sums[lane] += value * value;
    }
  });
  double sum = 0;
  for (const double each : sums) sum += each;
  return group.empty() ? 0.0f
                       : static_cast<float>(std::sqrt(sum / static_cast<double>(group.size())));
}

/// scale = the step between levels when the outermost lies at gaussian_range times the group's root
/// mean square (QuEST, Panferov et al., arXiv 2502.05003, without the 1e-8 that is added there).
struct GaussianRms {
  using policy_kind = kind::initializer;

  template <Grid G>
  requires(gaussian_range<G> > 0.0f) static QParams choose(std::span<const float> group) {
    constexpr float levels = gaussian_range<G> / G::level(G::code_max, 0.0f);
    return {std::max(levels * root_mean_square(group), scale_floor)};
  }
};

static_assert(InitializerOf<GaussianRms, MidRise<4>> && InitializerOf<GaussianRms, Ternary>);

}  // namespace lrqat

#endif  // LRQAT_INITIALIZER_GAUSSIAN_RMS_HPP
