// SPDX-License-Identifier: MIT
// method/pb_llm.hpp: one bit for most weights, eight for the salient ones.
#ifndef LRQAT_METHOD_PB_LLM_HPP
#define LRQAT_METHOD_PB_LLM_HPP

#include <lrqat/adapter/full_rank.hpp>
#include <lrqat/estimator/straight_through.hpp>
#include <lrqat/grid/mid_rise.hpp>
#include <lrqat/grid/offset.hpp>
#include <lrqat/initializer/mean_magnitude.hpp>
#include <lrqat/initializer/salient_layer.hpp>
#include <lrqat/initializer/salient_set.hpp>
#include <lrqat/linear/quant_linear.hpp>
#include <lrqat/placement/weight_domain.hpp>
#include <lrqat/salient/salient.hpp>
#include <lrqat/storage/packed.hpp>
#include <lrqat/trainable/trainable_set.hpp>

namespace lrqat::method {

/// PB-LLM (Shang et al., arXiv 2310.00034), its training: W_hat = alpha sign(w) with alpha the mean
/// |w| of a row's other weights, measured anew after each step, and 8 bits for the salient weights,
/// which are frozen. Its start:
///
///   auto layer = salient_layer<method::PbLlm<>>(weight, salient_by_magnitude(weight, 0.1));
///
/// merge() does not exist; dense() gives W_hat. The weights that are not salient are trained in
/// float32 in a matrix that has room for the salient ones as well, whose entries have no gradient
/// and no say.
///
/// The published code has one alpha for a whole tensor, although it reshapes it to rows; 8-bit
/// scales from the range of a whole row, asymmetric; and a sign of 0 for 0, where here it is -1.
template <class... Others>
using PbLlm = QuantLinear<Sign, FullRank, WeightDomain, StraightThroughUnclipped, MeanMagnitude,
                          MeasuredScale, Salient<>, Others...>;

/// Its post-training form, mu +- mean |w - mu| and nothing trained, from salient_gptq_layer() of
/// initializer/salient_gptq.hpp; mu and the scale of each row are kept with the signs. ScaleOnly
/// lets the scales learn on.
template <class... Others>
using PbLlmPostTraining =
    QuantLinear<Offset<Sign>, Packed, MeanMagnitude, ScaleOnly, Salient<>, Others...>;

}  // namespace lrqat::method

#endif  // LRQAT_METHOD_PB_LLM_HPP
