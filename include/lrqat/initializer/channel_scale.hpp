// SPDX-License-Identifier: MIT
// initializer/channel_scale.hpp: what the scales of input channels have in common.
#ifndef LRQAT_INITIALIZER_CHANNEL_SCALE_HPP
#define LRQAT_INITIALIZER_CHANNEL_SCALE_HPP

#include <lrqat/core/aligned.hpp>
#include <lrqat/core/expects.hpp>
#include <lrqat/core/matrix_view.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

namespace lrqat {

/// W diag(scale) (out, in): the weight behind inputs x / scale.
/// @param weight  (out, in)     @param scale  (in)     @param scaled  (out, in); may be the weight
inline void scale_columns(MatrixView<const float> weight, std::span<const float> scale,
                          MatrixView<float> scaled) {
  expects(scale.size() == weight.cols && scaled.shape() == weight.shape(),
          "scale_columns: the weight is (", weight.rows, ", ", weight.cols, "), there are ",
          scale.size(), " scales");
  for (std::size_t i = 0; i < weight.rows; ++i)
    for (std::size_t j = 0; j < weight.cols; ++j) scaled(i, j) = weight(i, j) * scale[j];
}

/// W diag(scale)^-1 (out, in): the weight in front of whose inputs that scale was taken out.
inline void unscale_columns(MatrixView<const float> weight, std::span<const float> scale,
                            MatrixView<float> unscaled) {
  expects(scale.size() == weight.cols && unscaled.shape() == weight.shape(),
          "unscale_columns: the weight is (", weight.rows, ", ", weight.cols, "), there are ",
          scale.size(), " scales");
  for (std::size_t i = 0; i < weight.rows; ++i)
    for (std::size_t j = 0; j < weight.cols; ++j) unscaled(i, j) = weight(i, j) / scale[j];
}

/// (in) largest |W| of each input over all weights (out, in) that share their inputs.
/// Errors: no weight; weights of different inputs; a weight that is not finite.
inline std::vector<float> max_abs_of_columns(std::span<const MatrixView<const float>> weights) {
  expects(!weights.empty(), "max_abs_of_columns: no weight");
  std::vector<float> largest(weights[0].cols);
  for (const MatrixView<const float>& weight : weights) {
    expects(weight.cols == largest.size(), "max_abs_of_columns: weights of ", largest.size(),
            " and of ", weight.cols, " inputs share none");
    for (std::size_t i = 0; i < weight.rows; ++i)
      for (std::size_t j = 0; j < weight.cols; ++j) {
        expects(std::isfinite(weight(i, j)), "max_abs_of_columns: weight (", i, ", ", j,
                ") is not finite");
        largest[j] = std::max(largest[j], std::fabs(weight(i, j)));
      }
  }
  return largest;
}

}  // namespace lrqat

#endif  // LRQAT_INITIALIZER_CHANNEL_SCALE_HPP
