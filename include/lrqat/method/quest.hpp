// SPDX-License-Identifier: MIT
// method/quest.hpp: training on a Gaussian grid in a Hadamard basis, with trusted gradients.
#ifndef LRQAT_METHOD_QUEST_HPP
#define LRQAT_METHOD_QUEST_HPP

#include <lrqat/adapter/full_rank.hpp>
#include <lrqat/estimator/trust.hpp>
#include <lrqat/grid/mid_rise.hpp>
#include <lrqat/initializer/gaussian_rms.hpp>
#include <lrqat/input/dynamic_input.hpp>
#include <lrqat/linear/quant_linear.hpp>
#include <lrqat/placement/weight_domain.hpp>
#include <lrqat/trainable/trainable_set.hpp>
#include <lrqat/transform/hadamard.hpp>

namespace lrqat::method {

/// QuEST (Panferov et al., arXiv 2502.05003): weights and activations are rotated in blocks of 128,
/// rounded to the mid-rise grid that is best for normal numbers of their root mean square, and get
/// the gradient where that moved them by half a step at most. The scale is measured, not learned.
///
/// Here the rotated weight is the trained one, which is the same under plain gradient descent, as H
/// is orthonormal; AdamW's moments are those of the rotated weight. Where 128 does not divide `in`,
/// blocks are shorter. The 1e-8 added to each scale in the published code is a floor here.
template <int WeightBits, int ActivationBits = WeightBits, class... Others>
using Quest = QuantLinear<MidRise<WeightBits>, FullRank, WeightDomain, Trust<>, GaussianRms,
                          MeasuredScale, Hadamard<128>, RmsInput<MidRise<ActivationBits>>, Others...>;

}  // namespace lrqat::method

#endif  // LRQAT_METHOD_QUEST_HPP
