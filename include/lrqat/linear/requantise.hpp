// SPDX-License-Identifier: MIT
// linear/requantise.hpp: a branch beside the integers rounded into them, another layer than before.
#ifndef LRQAT_LINEAR_REQUANTISE_HPP
#define LRQAT_LINEAR_REQUANTISE_HPP

#include <lrqat/concept/input_quantizer.hpp>  // changes_basis
#include <lrqat/core/expects.hpp>
#include <lrqat/linear/quant_linear.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <type_traits>
#include <vector>

namespace lrqat {

/// On which scales merge_requantised rounds.
enum class RequantiseOn {
  measured_scales,  // chosen by the layer's initializer for the new weight
  own_scales        // those of the layer
};

namespace detail {

template <class Layer>
struct requantised {
  using type = void;
};
template <class G, class Gran, class S, class A, class P, class E, class I, class T, class In,
          class B, class F, class K>
requires Parameterization<G, Gran, S, A, P, E, T, F, K>::has_branch
struct requantised<BasicQuantLinear<G, Gran, S, A, P, E, I, T, In, B, F, K>> {
  using type =
      BasicQuantLinear<G, Gran, Packed, NoAdapter, InsideRounding, E, I, ScaleOnly, In, B, F>;
};

}  // namespace detail

/// QLLM's merge (Liu et al., arXiv 2310.08041): the adapter of a Parallel layer is added to the float
/// weight and the sum rounded anew, to codes and scales. That is no exact merge: the layer that was
/// trained has round(W) + c A B, this one round(W + c A B). They are equal where c A B is a multiple of
/// the scale everywhere, stays among the codes, and the scales are kept. Where A B has learned to make
/// up for the rounding of W, the new rounding makes its errors anew: measure what is deployed.
///
/// @param weight   (out, in) the float weight that the layer was made from
/// @param options  those of the layer; read for the scale format only
/// Errors: a weight of another shape or that is not finite; an adapter that is not finite.
template <class Layer>
auto merge_requantised(const Layer& layer, MatrixView<const float> weight,
                       RequantiseOn on = RequantiseOn::measured_scales, QuantOptions options = {}) {
  using Rounded = typename detail::requantised<Layer>::type;
  constexpr bool has_branch = !std::is_void_v<Rounded>;
  static_assert(has_branch,
                "merge_requantised: this layer has no adapter beside the rounding. Write "
                "layer.merge(), which is exact.");
  if constexpr (has_branch) {
    static_assert(!Layer::parameterization::keeps_salient,
                  "merge_requantised: salient weights stay off the grid, so its codes do not hold "
                  "them. Leave Salient out of the layer.");
    static_assert(!changes_basis<typename Layer::input>,
                  "merge_requantised: the adapter behind a transform is in another basis than the "
                  "float weight. Leave the transform out.");
    const Shape shape = layer.weight().shape();
    expects(weight.shape() == shape, "merge_requantised: the weight is (", weight.rows, ", ",
            weight.cols, "), the layer (", shape.rows, ", ", shape.cols, ")");
    const ScaleLayout& layout = layer.weight().layout();
    options.group_size = layout.group_columns;
    const auto rows = [&](std::size_t row, std::span<float> values) {
      std::copy_n(weight.row(row).data(), values.size(), values.data());
      layer.weight().adapter().add({row, 0, 1, shape.cols}, {values.data(), 1, shape.cols});
    };
    if (on == RequantiseOn::measured_scales)
      return Rounded(shape, rows, options, layer.bias()).merge();
    std::vector<QParams> qparams(layout.size());
    for (std::size_t cell = 0; cell < qparams.size(); ++cell)
      qparams[cell] = layer.weight().used(cell);
    return Rounded(shape, rows, qparams, options, layer.bias()).merge();
  }
}

}  // namespace lrqat

#endif  // LRQAT_LINEAR_REQUANTISE_HPP
