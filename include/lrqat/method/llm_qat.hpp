// SPDX-License-Identifier: MIT
// method/llm_qat.hpp: full quantization-aware training on measured symmetric grids.
#ifndef LRQAT_METHOD_LLM_QAT_HPP
#define LRQAT_METHOD_LLM_QAT_HPP

#include <lrqat/adapter/full_rank.hpp>
#include <lrqat/estimator/straight_through.hpp>
#include <lrqat/grid/mid_rise.hpp>
#include <lrqat/grid/symmetric_int.hpp>
#include <lrqat/initializer/mean_magnitude.hpp>
#include <lrqat/initializer/min_max.hpp>
#include <lrqat/input/dynamic_input.hpp>
#include <lrqat/input/no_input.hpp>
#include <lrqat/linear/quant_linear.hpp>
#include <lrqat/placement/weight_domain.hpp>
#include <lrqat/trainable/trainable_set.hpp>

#include <type_traits>

namespace lrqat::method {

namespace detail {

template <int Bits>
struct llm_qat_weight {
  using grid = SymmetricInt<Bits>;
  using initializer = MinMax;
};
template <int Bits>
requires(Bits <= 2) struct llm_qat_weight<Bits> {
  using grid = MidRise<Bits>;
  using initializer = MeanMagnitude;
};
template <int Bits>
struct symmetric_or_none {
  using type = SymmetricInput<Bits>;
};
template <>
struct symmetric_or_none<16> {
  using type = NoInput;
};

}  // namespace detail

/// LLM-QAT (Liu et al., arXiv 2305.17888), weights and activations: each row and each token has the
/// scale max|.| / p on levels -p .. p; at 2 bits +-m/2 and +-3m/2, at 1 bit +-m, m the row's mean |w|.
/// ActivationBits = 16: activations stay as they are. The KV cache, the data that the model writes
/// itself and the distillation are the model's and the training's, not the layer's.
///
/// Two quirks of the published code are left out: the gradient of values of 2 or more in magnitude is
/// not set to zero (nothing is clipped there), and nothing is added to the scales (1e-6 there).
template <int WeightBits, int ActivationBits = 8, class... Others>
using LlmQat = QuantLinear<typename detail::llm_qat_weight<WeightBits>::grid, FullRank, WeightDomain,
                           StraightThroughUnclipped,
                           typename detail::llm_qat_weight<WeightBits>::initializer, MeasuredScale,
                           typename detail::symmetric_or_none<ActivationBits>::type, Others...>;

}  // namespace lrqat::method

#endif  // LRQAT_METHOD_LLM_QAT_HPP
