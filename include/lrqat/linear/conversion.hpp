// SPDX-License-Identifier: MIT
// linear/conversion.hpp: the same function in another parameterization.
#ifndef LRQAT_LINEAR_CONVERSION_HPP
#define LRQAT_LINEAR_CONVERSION_HPP

#include <lrqat/concept/initializer.hpp>  // QParams
#include <lrqat/core/aligned.hpp>
#include <lrqat/core/expects.hpp>
#include <lrqat/core/matrix_view.hpp>
#include <lrqat/core/quant_options.hpp>
#include <lrqat/core/scale_layout.hpp>

#include <cstddef>
#include <span>
#include <vector>

namespace lrqat::detail {

/// QuantLinear::convert_to without its conditions on the types.
template <class Other, class Layer>
Other converted(const Layer& layer, const QuantOptions& options) {
  const auto& weight = layer.weight();
  const ScaleLayout& layout = weight.layout();
  const ScaleLayout wanted = Other::granularity::layout(weight.shape(), options);
  expects(wanted == layout, "QuantLinear::convert_to: groups of ", layout.group_columns,
          " inputs cannot become groups of ", wanted.group_columns);
  std::vector<QParams> qparams(layout.size());
  for (std::size_t cell = 0; cell < qparams.size(); ++cell) qparams[cell] = weight.used(cell);
  const Shape shape = weight.shape();
  AlignedVector<float> base(shape.size());
  const MatrixView<float> view(base.data(), shape.rows, shape.cols);
  weight.weight({0, 0, shape.rows, shape.cols}, view);
  Other converted(view, qparams, options, layer.bias());
  for (std::size_t cell = 0; cell < qparams.size(); ++cell) {
    const QParams used = converted.weight().used(cell);
    expects(used.scale == qparams[cell].scale, "QuantLinear::convert_to: scale ", cell, " of ",
            qparams[cell].scale, " becomes ", used.scale, " in the other format");
    expects(used.zero_point == qparams[cell].zero_point, "QuantLinear::convert_to: zero point ",
            cell, " of ", qparams[cell].zero_point, " becomes ", used.zero_point,
            " where it is trained, which keeps it among the codes");
    expects(used.offset == qparams[cell].offset, "QuantLinear::convert_to: offset ", cell, " of ",
            qparams[cell].offset, " becomes ", used.offset, " in the other format");
  }
  converted.for_each_row_of_levels([&](std::size_t row, std::span<const float> levels) {
    const MatrixView<float> own(base.data(), 1, shape.cols);
    weight.rounded_levels({row, 0, 1, shape.cols}, own);
    for (std::size_t j = 0; j < shape.cols; ++j)
      expects(levels[j] == own(0, j), "QuantLinear::convert_to: weight (", row, ", ", j,
              ") of level ", own(0, j), " becomes ", levels[j], " in the other storage");
  });
  return converted;
}

}  // namespace lrqat::detail

#endif  // LRQAT_LINEAR_CONVERSION_HPP
