// SPDX-License-Identifier: MIT
// initializer/outlier_suppression.hpp: channels are centred, and those beyond a bound shrunk to it.
#ifndef LRQAT_INITIALIZER_OUTLIER_SUPPRESSION_HPP
#define LRQAT_INITIALIZER_OUTLIER_SUPPRESSION_HPP

#include <lrqat/core/expects.hpp>
#include <lrqat/core/matrix_view.hpp>
#include <lrqat/core/numeric.hpp>  // round_half_even
#include <lrqat/initializer/range.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <type_traits>
#include <vector>

namespace lrqat {

// Outlier Suppression+ (Wei et al., arXiv 2304.09145): X' = (X - z) / s behind the fold, W' = W
// diag(s), b' = b + W z. A norm without a bias, like a LLaMA's, takes the scale alone: then low and
// high are those of the inputs as they are.

/// z_j = (max_j + min_j) / 2, for norms that have a bias to take it.
/// @param low, high  (in) extremes of the inputs
/// Errors: extremes that are not finite or in the wrong order.
inline std::vector<float> os_plus_shift(std::span<const float> low, std::span<const float> high) {
  detail::expect_ranges("os_plus_shift", low, high);
  std::vector<float> shift(low.size());
  for (std::size_t j = 0; j < shift.size(); ++j)
    shift[j] = static_cast<float>((static_cast<double>(high[j]) + static_cast<double>(low[j])) / 2);
  return shift;
}

/// s_j = max(1, max_j / t, -min_j / t): inputs inside of +-t stay as they are.
/// @param low, high  (in) extremes of the inputs, shifted if they are
/// Errors: those of os_plus_shift; a bound that is not positive.
inline std::vector<float> os_plus_scale(std::span<const float> low, std::span<const float> high,
                                        float bound) {
  detail::expect_ranges("os_plus_scale", low, high);
  expects(bound > 0 && std::isfinite(bound), "os_plus_scale: the bound is ", bound,
          ", it must be positive");
  std::vector<float> scale(low.size());
  for (std::size_t j = 0; j < scale.size(); ++j)
    scale[j] = std::max({1.0f, high[j] / bound, -low[j] / bound});
  return scale;
}

/// b + W z, in double: what the layer adds once its inputs are shifted. `bias` (out) or empty for
/// none; weight (out, in) before it is scaled, shift (in).
inline std::vector<float> os_plus_bias(MatrixView<const float> weight, std::span<const float> shift,
                                       std::span<const float> bias = {}) {
  expects(shift.size() == weight.cols && (bias.empty() || bias.size() == weight.rows),
          "os_plus_bias: the weight is (", weight.rows, ", ", weight.cols, "), the shift has ",
          shift.size(), " numbers, the bias ", bias.size());
  std::vector<float> moved(weight.rows);
  for (std::size_t i = 0; i < weight.rows; ++i) {
    double sum = bias.empty() ? 0 : static_cast<double>(bias[i]);
    for (std::size_t j = 0; j < weight.cols; ++j)
      sum += static_cast<double>(weight(i, j)) * static_cast<double>(shift[j]);
    moved[i] = static_cast<float>(sum);
  }
  return moved;
}

struct OsPlusBound {
  float bound = 0;
  double error = 0;
  std::vector<float> scale;  // (in)
};

/// The bound t with the smallest error, the first of equals: from the largest |x| down to 1 in
/// max(100, largest / 0.5) equal steps, as published; where nothing is beyond 1, all scales are 1
/// and no search is made. The published code takes the error of the quantized attention's or MLP's
/// output.
///
/// @param error  (std::span<const float> scale, float bound) -> double
/// Errors: those of os_plus_scale; an error that is not a number.
template <class ErrorOf>
requires std::is_invocable_r_v<double, const ErrorOf&, std::span<const float>, float>
OsPlusBound os_plus_search(std::span<const float> low, std::span<const float> high,
                           const ErrorOf& error) {
  detail::expect_ranges("os_plus_search", low, high);
  float largest = 1;
  for (std::size_t j = 0; j < low.size(); ++j) largest = std::max({largest, -low[j], high[j]});
  const int steps =
      largest == 1 ? 0
                   : std::max(100, static_cast<int>(std::min(round_half_even(largest / 0.5f), 1e6f)));
  OsPlusBound best;
  for (int i = 0; i <= steps; ++i) {
    const float down = steps == 0 ? 0 : static_cast<float>(i) / static_cast<float>(steps);
    const float bound = i == steps ? 1.0f : largest - (largest - 1) * down;
    std::vector<float> scale = os_plus_scale(low, high, bound);
    const double off = error(std::span<const float>(scale), bound);
    expects(!std::isnan(off), "os_plus_search: the error with bound ", bound, " is not a number");
    if (i == 0 || off < best.error) best = {bound, off, std::move(scale)};
  }
  return best;
}

}  // namespace lrqat

#endif  // LRQAT_INITIALIZER_OUTLIER_SUPPRESSION_HPP
