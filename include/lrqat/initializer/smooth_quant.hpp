// SPDX-License-Identifier: MIT
// initializer/smooth_quant.hpp: large activations share their range with the weights they meet.
#ifndef LRQAT_INITIALIZER_SMOOTH_QUANT_HPP
#define LRQAT_INITIALIZER_SMOOTH_QUANT_HPP

#include <lrqat/initializer/channel_scale.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

namespace lrqat {

/// SmoothQuant's scale (Xiao et al., arXiv 2211.10438, eq. 4), to divide the inputs and to multiply
/// the columns of the weights: s_j = max|x_j|^alpha / max|W_j|^(1 - alpha), the largest weight over
/// all linears that share the inputs. As in the published code |W| and s are at least 1e-5; so is
/// |x| here, where there an input that was always 0 gets s = 1e-5 as well.
///
/// @param max_abs  (in) largest |x|: InputStatistics::max_abs
/// @param weights  each (out, in)
/// Errors: no weight; shapes that do not fit; numbers that are not finite; an alpha outside [0, 1].
inline std::vector<float> smooth_quant_scale(std::span<const float> max_abs,
                                             std::span<const MatrixView<const float>> weights,
                                             double alpha = 0.5) {
  expects(alpha >= 0 && alpha <= 1, "smooth_quant_scale: alpha is ", alpha,
          ", it lies between 0 and 1");
  const std::vector<float> weight = max_abs_of_columns(weights);
  expects(weight.size() == max_abs.size(), "smooth_quant_scale: ", max_abs.size(),
          " activations meet ", weight.size(), " columns");
  constexpr double least = 1e-5;
  std::vector<float> scale(weight.size());
  for (std::size_t j = 0; j < scale.size(); ++j) {
    expects(max_abs[j] >= 0 && std::isfinite(max_abs[j]), "smooth_quant_scale: max |x| of input ",
            j, " is ", max_abs[j]);
    const double x = std::max(static_cast<double>(max_abs[j]), least);
    const double w = std::max(static_cast<double>(weight[j]), least);
    scale[j] = static_cast<float>(std::max(std::pow(x, alpha) / std::pow(w, 1 - alpha), least));
  }
  return scale;
}

}  // namespace lrqat

#endif  // LRQAT_INITIALIZER_SMOOTH_QUANT_HPP
