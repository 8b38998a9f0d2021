// SPDX-License-Identifier: MIT
// initializer/awq.hpp: weights that meet large activations are enlarged before they are rounded.
#ifndef LRQAT_INITIALIZER_AWQ_HPP
#define LRQAT_INITIALIZER_AWQ_HPP

#include <lrqat/initializer/channel_scale.hpp>
#include <lrqat/initializer/weight_on_grid.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <type_traits>
#include <vector>

namespace lrqat {

/// A scale for each input of a layer, to multiply the weight's columns and to divide the inputs,
/// and why it was chosen.
struct AwqScale {
  std::vector<float> scale;  // (in), 1 for exponent 0
  double exponent = 0;       // rho
  double error = 0;          // of that scale
  double plain_error = 0;    // without one: that of exponent 0
};

/// s_j = max(a_j^rho, 1e-4) / sqrt(max s min s), a_j = mean |x_j|.
/// Errors: a mean that is negative or not finite.
inline std::vector<float> awq_scale_of(std::span<const double> mean_abs, double exponent) {
  std::vector<double> powers(mean_abs.size());
  for (std::size_t j = 0; j < powers.size(); ++j) {
    expects(mean_abs[j] >= 0 && std::isfinite(mean_abs[j]), "awq_scale: mean |x| of input ", j,
            " is ", mean_abs[j]);
    powers[j] = std::max(std::pow(mean_abs[j], exponent), 1e-4);
  }
  if (powers.empty()) return {};
  const auto [low, high] = std::minmax_element(powers.begin(), powers.end());
  const double middle = std::sqrt(*low * *high);
  std::vector<float> scale(powers.size());
  for (std::size_t j = 0; j < scale.size(); ++j) scale[j] = static_cast<float>(powers[j] / middle);
  return scale;
}

/// AWQ's activation-aware scale (Lin et al., arXiv 2306.00978): of rho = 0, 1/20, ..., 19/20 the one
/// with the smallest error, the first of equals.
///
/// @param mean_abs  (in) mean |x|: InputStatistics::mean_abs
/// @param error     (std::span<const float> scale) -> double, how far the model is off with that
///                  scale. The published code asks the output of the enclosing block or of the
///                  linear, over calibration tokens; awq_scale below asks the linears themselves.
/// Errors: an error that is not a number.
template <class ErrorOf>
requires std::is_invocable_r_v<double, const ErrorOf&, std::span<const float>>
AwqScale awq_scale(std::span<const double> mean_abs, const ErrorOf& error) {
  constexpr int candidates = 20;
  AwqScale best;
  for (int i = 0; i < candidates; ++i) {
    const double exponent = static_cast<double>(i) / candidates;
    std::vector<float> scale = awq_scale_of(mean_abs, exponent);
    const double off = error(std::span<const float>(scale));
    expects(!std::isnan(off), "awq_scale: the error with exponent ", exponent, " is not a number");
    if (i == 0) best.plain_error = off;
    if (i == 0 || off < best.error) {
      best.scale = std::move(scale);
      best.exponent = exponent;
      best.error = off;
    }
  }
  return best;
}

/// The same for linears that share their inputs, on the sum of their output errors: with
/// W_hat = Q(W diag(s)) diag(s)^-1, the mean over tokens of |W x - W_hat x|^2, from the Gram matrix
/// and thus over all calibration tokens.
/// @param weights  each (out, in)
/// Errors: no weight; shapes that do not fit; a weight that is not finite; no tokens.
template <Grid G, Granularity Gran = PerChannel, InitializerOf<G> I = MinMax>
AwqScale awq_scale(std::span<const MatrixView<const float>> weights, const InputStatistics& inputs,
                   const QuantOptions& options = {}) {
  expects(!weights.empty(), "awq_scale: no weight");
  const auto error = [&](std::span<const float> scale) {
    double sum = 0;
    for (const MatrixView<const float>& weight : weights) {
      detail::expect_inputs("awq_scale", weight, scale.size());
      AlignedVector<float> memory(weight.rows * weight.cols);
      const MatrixView<float> scaled(memory.data(), weight.rows, weight.cols);
      scale_columns(weight, scale, scaled);
      WeightOnGrid rounded = round_to_nearest<G, Gran, I>(scaled, options);
      unscale_columns(rounded.weight(), scale, scaled);
      sum += output_error(weight, scaled, inputs);
    }
    return sum;
  };
  return awq_scale(std::span<const double>(inputs.mean_abs()), error);
}

/// AWQ's clip search: for each group of a row the weights are clipped to +-c max|w|, c = 1, 0.95,
/// ..., 0.55, before they choose their scale and are rounded; the first c with the smallest error
/// e^T H e of the group's part of the output stays, H the group's block of the Gram matrix. c = 1 is
/// among them, so that no group's own error grows.
///
/// The published code takes the error over a sample of tokens and leaves query and key projections
/// as they are; whom to clip is the caller's choice here.
///
/// @param weight  (out, in), already scaled    @param inputs  statistics of the scaled inputs
/// Errors: those of round_to_nearest; statistics that do not fit; scales that span rows.
template <Grid G, Granularity Gran = PerChannel, InitializerOf<G> I = MinMax>
WeightOnGrid awq_clip(MatrixView<const float> weight, const InputStatistics& inputs,
                      const QuantOptions& options = {}) {
  detail::expect_finite("awq_clip", weight);
  detail::expect_inputs("awq_clip", weight, inputs.in_features());
  const MatrixView<const double> gram = inputs.gram();
  const ScaleLayout layout = Gran::layout(weight.shape(), options);
  expects(layout.scales.rows == weight.rows,
          "awq_clip: the scales span rows; clip on PerChannel or PerGroup");
  WeightOnGrid found{weight.shape(), AlignedVector<float>(weight.rows * weight.cols),
                     std::vector<QParams>(layout.size())};
  parallel_for(weight.rows, [&](std::size_t row) {
    layout.for_each_segment({row, 0, 1, weight.cols}, [&](auto, auto col, auto count, auto cell) {
      const std::span<const float> group = weight.row(row).subspan(col, count);
      float largest = 0;
      for (const float w : group) largest = std::max(largest, std::fabs(w));
      const std::span<float> clipped = scratch<struct clipped_slot>(1, count).row(0);
      const std::span<float> rounded = scratch<struct rounded_slot>(1, count).row(0);
      double smallest = std::numeric_limits<double>::infinity();
      for (int step = 0; step < 10; ++step) {
        const float limit = largest * (1 - static_cast<float>(step) / 20);
        for (std::size_t j = 0; j < count; ++j) clipped[j] = std::clamp(group[j], -limit, limit);
        const QParams tried = detail::checked_choice("awq_clip", I::template choose<G>(clipped));
        for (std::size_t j = 0; j < count; ++j) rounded[j] = on_grid<G>(clipped[j], tried);
        double error = 0;
        for (std::size_t i = 0; i < count; ++i) {
          double seen = 0;
          for (std::size_t j = 0; j < count; ++j)
            seen += gram(col + i, col + j) * static_cast<double>(rounded[j] - group[j]);
          error += seen * static_cast<double>(rounded[i] - group[i]);
        }
        if (step > 0 && !(error < smallest)) continue;
        smallest = error;
        found.qparams[cell] = tried;
        std::copy(rounded.begin(), rounded.end(),
                  found.values.begin() + static_cast<std::ptrdiff_t>(row * weight.cols + col));
      }
    });
  });
  return found;
}

}  // namespace lrqat

#endif  // LRQAT_INITIALIZER_AWQ_HPP
