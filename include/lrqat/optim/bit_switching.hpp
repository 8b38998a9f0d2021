// SPDX-License-Identifier: MIT
// optim/bit_switching.hpp: learning rates and widths while one model trains at several bit widths.
#ifndef LRQAT_OPTIM_BIT_SWITCHING_HPP
#define LRQAT_OPTIM_BIT_SWITCHING_HPP

#include <lrqat/core/expects.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>

namespace lrqat {

// Both rules are those of "Nearly Lossless Adaptive Bit Switching" (arXiv 2502.01199).

/// How much slower scales learn at width `low` than at the highest: 10^(-d/2) for an even
/// difference d of the widths, 5 * 10^(-(d+1)/2) for an odd one (1, 0.5, 0.1, 0.05, 0.01, ...).
/// @pre  low <= high (checked)
inline double scale_rate_factor(int high, int low) {
  expects(low <= high, "scale_rate_factor: the highest width is ", high, " bits, which is below ",
          low);
  const int difference = high - low;
  return difference % 2 == 0 ? std::pow(10.0, -difference / 2)
                             : 5.0 * std::pow(10.0, -(difference + 1) / 2);
}

/// Adaptive learning rate scaling: the rate of all scales for a step at width `low`,
///   factor (rate - mean over layers of min(largest, 1)).
/// The paper leaves open what a negative rate would mean; here it is 0.
/// @param largest  of each layer: the largest |gradient| of its scales at this width
inline double adaptive_scale_rate(double rate, int high, int low, std::span<const float> largest) {
  double sum = 0;
  for (const float gradient : largest) sum += static_cast<double>(std::min(gradient, 1.0f));
  const double mean = largest.empty() ? 0.0 : sum / static_cast<double>(largest.size());
  return scale_rate_factor(high, low) * std::max(rate - mean, 0.0);
}

/// Hessian-aware stochastic bit switching: how likely a step of epoch `epoch` (from 0) switches.
/// @pre  0 <= sigma <= 1, epoch < epochs (checked)
inline double switching_probability(double sigma, std::size_t epoch, std::size_t epochs) {
  expects(sigma >= 0 && sigma <= 1, "switching_probability: sigma is ", sigma,
          "; a probability lies in 0 .. 1");
  expects(epoch < epochs, "switching_probability: epoch ", epoch, " of ", epochs);
  return sigma * static_cast<double>(epoch + 1) / static_cast<double>(epochs);
}

/// The width of one layer for a step that switches: a sensitive layer, one whose Hessian has a
/// trace of at least the layers' mean, draws each width in proportion to its bits, another all
/// alike.
/// @param draw  in [0, 1)
/// @pre   at least one width, each positive (checked)
inline int draw_bit_width(std::span<const int> widths, bool is_sensitive, double draw) {
  expects(!widths.empty(), "draw_bit_width: no width to choose from");
  const auto share = [&](int bits) { return is_sensitive ? static_cast<double>(bits) : 1.0; };
  double all = 0;
  for (const int bits : widths) {
    expects(bits > 0, "draw_bit_width: a width of ", bits, " bits");
    all += share(bits);
  }
  double left = draw * all;
  for (const int bits : widths) {
    if (left < share(bits)) return bits;
    left -= share(bits);
  }
  return widths.back();
}

}  // namespace lrqat

#endif  // LRQAT_OPTIM_BIT_SWITCHING_HPP
