// SPDX-License-Identifier: MIT
// linear/conversion.hpp: the same function in another parameterization.
#ifndef LRQAT_LINEAR_CONVERSION_HPP
#define LRQAT_LINEAR_CONVERSION_HPP

#include <lrqat/concept/grid.hpp>             // leaves_reals
#include <lrqat/concept/initializer.hpp>      // QParams
#include <lrqat/concept/input_quantizer.hpp>  // changes_basis
#include <lrqat/concept/trainable.hpp>        // learns_clips
#include <lrqat/core/aligned.hpp>
#include <lrqat/core/expects.hpp>
#include <lrqat/core/matrix_view.hpp>
#include <lrqat/core/quant_options.hpp>
#include <lrqat/core/scale_layout.hpp>

#include <cstddef>
#include <span>
#include <type_traits>
#include <vector>

namespace lrqat::detail {

/// The conditions of QuantLinear::convert_to on its types.
template <class Layer, class Other>
consteval void expect_convertible() {
  using G = typename Layer::grid;
  constexpr bool salient = Layer::parameterization::keeps_salient ||
                           Other::parameterization::keeps_salient;
  static_assert(std::is_same_v<typename Other::grid, G> &&
                    std::is_same_v<typename Other::granularity, typename Layer::granularity>,
                "convert_to<Other>: both layers must have the same grid and granularity; other "
                "schemes start from the float weight.");
  static_assert(!leaves_reals<G>,
                "convert_to<Other>: an Unrounded grid has no codes to keep. Call finalise(layer) "
                "first and convert what it returns.");
  static_assert(!salient,
                "convert_to<Other>: salient weights stay off the grid, where the other layer would "
                "not find them. Start from the float weight.");
  static_assert((Layer::holds_in_levels && Other::holds_in_levels) || leaves_reals<G> || salient,
                "convert_to<Other>: a Parallel adapter is no part of the integers, so neither "
                "layer may have one.");
  static_assert(!changes_basis<typename Layer::input> && !changes_basis<typename Other::input>,
                "convert_to<Other>: the weight behind a transform is in another basis, and W_hat "
                "would be rounded on its way between them. Start from the float weight.");
  static_assert(!learns_clips<typename Other::trainable>,
                "convert_to<Other>: the other layer's scales follow from clips of its weights' "
                "range, and cannot be given. Start from the float weight.");
}

/// QuantLinear::convert_to, whose conditions hold.
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
