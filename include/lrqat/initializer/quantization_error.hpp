// SPDX-License-Identifier: MIT
// initializer/quantization_error.hpp: what a layer's weight lacks of the one it was made of.
#ifndef LRQAT_INITIALIZER_QUANTIZATION_ERROR_HPP
#define LRQAT_INITIALIZER_QUANTIZATION_ERROR_HPP

#include <lrqat/backend/parallel_for.hpp>
#include <lrqat/core/aligned.hpp>
#include <lrqat/core/expects.hpp>
#include <lrqat/core/matrix_view.hpp>

#include <cstddef>

namespace lrqat {

/// W - W_hat, (out, in) row-major: what a branch beside the rounding starts from.
/// @param weight  (out, in), the one that the QuantLinear was made of
/// Errors: another shape.
template <class Layer>
AlignedVector<float> quantization_error(const Layer& layer, MatrixView<const float> weight) {
  const auto& parameterization = layer.weight();
  const Shape shape = parameterization.shape();
  expects(weight.shape() == shape, "quantization_error: the weight is (", weight.rows, ", ",
          weight.cols, "), the layer's (", shape.rows, ", ", shape.cols, ")");
  AlignedVector<float> error(shape.rows * shape.cols);
  parallel_for(shape.rows, [&](std::size_t i) {
    const MatrixView<float> row(error.data() + i * shape.cols, 1, shape.cols);
    parameterization.weight({i, 0, 1, shape.cols}, row);
    for (std::size_t j = 0; j < shape.cols; ++j) row(0, j) = weight(i, j) - row(0, j);
  });
  return error;
}

}  // namespace lrqat

#endif  // LRQAT_INITIALIZER_QUANTIZATION_ERROR_HPP
