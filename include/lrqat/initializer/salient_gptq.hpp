// SPDX-License-Identifier: MIT
// initializer/salient_gptq.hpp: salient weights by Hessian, and GPTQ beside them.
#ifndef LRQAT_INITIALIZER_SALIENT_GPTQ_HPP
#define LRQAT_INITIALIZER_SALIENT_GPTQ_HPP

#include <lrqat/concept/input_quantizer.hpp>  // changes_basis
#include <lrqat/concept/trainable.hpp>        // measures_scale, learns_clips
#include <lrqat/core/matrix_view.hpp>
#include <lrqat/initializer/gptq.hpp>
#include <lrqat/initializer/salient_layer.hpp>
#include <lrqat/initializer/salient_set.hpp>
#include <lrqat/salient/weight_set.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <utility>
#include <vector>

namespace lrqat {

/// PB-LLM's choice by Hessian (Shang et al., arXiv 2310.00034): those with the largest w^2 /
/// U_jj^2, U of the inputs' GptqFactor; of every `columns` inputs the same fraction, rounded to
/// whole weights. Of equal ones the first in row-major order. Weights of dead inputs come last,
/// whatever they are.
/// @param weight  (out, in)    @param columns  0: all inputs at once
/// @throws Error when the weight is empty, not finite or of other inputs, or the fraction outside
///         0 .. 1
inline WeightSet salient_by_hessian(MatrixView<const float> weight, const GptqFactor& factor,
                                    double fraction, std::size_t columns = 0) {
  detail::expect_finite("salient_by_hessian", weight);
  detail::expect_inputs("salient_by_hessian", weight, factor.in_features());
  const std::size_t in = weight.cols, width = columns == 0 ? in : columns;
  std::vector<double> values(weight.rows * in);
  for (std::size_t k = 0; k < in; ++k) {
    const std::size_t j = factor.order[k];
    const auto cost = static_cast<double>(factor.matrix()(k, k));
    for (std::size_t i = 0; i < weight.rows; ++i) {
      const double ratio = static_cast<double>(weight(i, j)) / cost;
      values[i * in + j] = factor.dead[j] ? -1.0 : ratio * ratio;
    }
  }
  std::vector<std::uint8_t> marks(values.size());
  std::vector<std::size_t> places;
  for (std::size_t first = 0; first < in; first += width) {
    places.clear();
    for (std::size_t i = 0; i < weight.rows; ++i)
      for (std::size_t j = first; j < std::min(in, first + width); ++j)
        places.push_back(i * in + j);
    detail::mark_first(values, places,
                       detail::count_of_fraction("salient_by_hessian", fraction, places.size()),
                       std::greater<>(), marks);
  }
  return detail::marked(weight.shape(), marks);
}

/// A layer with Salient<...> among its policies from GPTQ: column after column each weight is
/// rounded, those of `set` in their own bits, and its error goes into the weights that are still to
/// come. Scales of the salient weights are chosen before the first column; W_hat is what GPTQ
/// leaves, to the bit.
///
/// The published post-training code counts salient weights, as zeros, in means and scales of the
/// others, which are chosen without them here.
/// @param weight  (out, in)    @param factor  of its inputs
/// @param bias  (out), or empty for none
/// @return Layer
/// @throws Error like gptq() and salient_layer()
template <class Layer>
auto salient_gptq_layer(MatrixView<const float> weight, const GptqFactor& factor, WeightSet set,
                        const GptqOptions& options = {}, std::span<const float> bias = {}) {
  using Salient = typename Layer::parameterization::salient_policy;
  constexpr bool fits = Salient::keeps && !changes_basis<typename Layer::input> &&
                        !measures_scale<typename Layer::trainable> &&
                        !learns_clips<typename Layer::trainable>;
  static_assert(
      fits,
      "salient_gptq_layer<Layer>: the layer has salient weights, no transform and scales that "
      "are not measured again and follow from no learned clips, e.g. method::PbLlmPostTraining<>.");
  if constexpr (fits) {
    typename Salient::state salient(checked_shape(weight.shape()));
    const std::vector<QParams> rows = salient_scales<typename Salient::grid>(set, weight);
    salient.keep(set, weight, rows);
    const WeightOnGrid found =
        detail::gptq_beside<base_grid_of<typename Layer::grid>, typename Layer::granularity,
                            typename Layer::initializer>(salient, weight, factor, options);
    salient.keep(std::move(set), found.weight(), rows);
    return detail::with_salient<Layer>(found.weight(), found.qparams, std::move(salient),
                                       options.quant, bias);
  }
}

}  // namespace lrqat

#endif  // LRQAT_INITIALIZER_SALIENT_GPTQ_HPP
