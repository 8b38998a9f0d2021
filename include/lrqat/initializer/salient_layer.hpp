// SPDX-License-Identifier: MIT
// initializer/salient_layer.hpp: a layer some of whose weights stay off its grid from the start.
#ifndef LRQAT_INITIALIZER_SALIENT_LAYER_HPP
#define LRQAT_INITIALIZER_SALIENT_LAYER_HPP

#include <lrqat/concept/input_quantizer.hpp>  // changes_basis
#include <lrqat/concept/trainable.hpp>        // measures_scale, learns_clips
#include <lrqat/core/matrix_view.hpp>
#include <lrqat/core/quant_options.hpp>
#include <lrqat/initializer/salient_set.hpp>
#include <lrqat/initializer/weight_rows.hpp>
#include <lrqat/salient/weight_set.hpp>

#include <span>
#include <utility>
#include <vector>

namespace lrqat {

namespace detail {

/// The layer on given scales, with given salient weights.
template <class Layer, class Salient>
Layer with_salient(MatrixView<const float> weight, std::span<const QParams> qparams,
                   Salient salient, const QuantOptions& options, std::span<const float> bias) {
  Layer layer(weight, qparams, options, bias);
  layer.keep_salient(std::move(salient));
  return layer;
}

}  // namespace detail

/// A layer with Salient<...> among its policies, on the weights of `set`, and scales that its
/// initializer chose from all others, or that follow from their ranges.
/// @param weight  (out, in)    @param bias  (out), or empty for none
/// @return Layer
/// @throws Error when the set has another shape, and like the layer's constructor
template <class Layer>
auto salient_layer(MatrixView<const float> weight, WeightSet set, const QuantOptions& options = {},
                   std::span<const float> bias = {}) {
  using G = base_grid_of<typename Layer::grid>;
  using Salient = typename Layer::parameterization::salient_policy;
  constexpr bool plain_basis = !changes_basis<typename Layer::input>;
  static_assert(
      Salient::keeps,
      "salient_layer<Layer>: the layer keeps every weight on its grid. Add Salient<> to its "
      "policies.");
  static_assert(
      plain_basis,
      "salient_layer<Layer>: behind a transform the weights are in another basis than the "
      "set. Leave the transform out.");
  if constexpr (Salient::keeps && plain_basis) {
    typename Salient::state salient(checked_shape(weight.shape()));
    const std::vector<QParams> rows = salient_scales<typename Salient::grid>(set, weight);
    salient.keep(std::move(set), weight, rows);
    using T = typename Layer::trainable;
    if constexpr (measures_scale<T> || learns_clips<T>) {
      Layer layer(weight, options, bias);
      layer.keep_salient(std::move(salient));
      return layer;
    } else {
      const std::vector<QParams> qparams = chosen_by_group(
          weight.shape(), RowsOf{weight}, Layer::granularity::layout(weight.shape(), options),
          [](std::span<const float> group) {
            return Layer::initializer::template choose<G>(group);
          },
          salient);
      return detail::with_salient<Layer>(weight, qparams, std::move(salient), options, bias);
    }
  }
}

}  // namespace lrqat

#endif  // LRQAT_INITIALIZER_SALIENT_LAYER_HPP
