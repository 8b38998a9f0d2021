// SPDX-License-Identifier: MIT
// method/ternary.hpp: weights of minus alpha, zero and alpha.
#ifndef LRQAT_METHOD_TERNARY_HPP
#define LRQAT_METHOD_TERNARY_HPP

#include <lrqat/adapter/full_rank.hpp>
#include <lrqat/estimator/straight_through.hpp>
#include <lrqat/granularity/per_tensor.hpp>
#include <lrqat/grid/ternary.hpp>
#include <lrqat/initializer/mean_magnitude.hpp>
#include <lrqat/linear/quant_linear.hpp>
#include <lrqat/placement/weight_domain.hpp>
#include <lrqat/trainable/trainable_set.hpp>

namespace lrqat::method {

/// Ternary weight networks (Li and Liu, arXiv 1605.04711), as Teacher Intervention trains them (Kim
/// et al., arXiv 2302.11812): threshold and alpha are measured from the whole weight, the gradient
/// passes everywhere. Add SymmetricInput<8> for its activations, or another granularity than
/// PerTensor in place of it: TernaryPer<PerChannel>.
///
/// The published code sets the gradient to zero where |w| >= 2.5, which is left out here. The
/// interventions are the training's, not the layer's.
template <class Gran, class... Others>
using TernaryPer = QuantLinear<Ternary, Gran, FullRank, WeightDomain, StraightThroughUnclipped,
                               TwnScale, MeasuredScale, Others...>;

template <class... Others>
using TernaryWeights = TernaryPer<PerTensor, Others...>;

}  // namespace lrqat::method

#endif  // LRQAT_METHOD_TERNARY_HPP
