// SPDX-License-Identifier: MIT
// method/efficient_qat.hpp: everything is trained block by block, then the scales from end to end.
#ifndef LRQAT_METHOD_EFFICIENT_QAT_HPP
#define LRQAT_METHOD_EFFICIENT_QAT_HPP

#include <lrqat/adapter/full_rank.hpp>
#include <lrqat/granularity/per_group.hpp>
#include <lrqat/grid/uint.hpp>
#include <lrqat/linear/quant_linear.hpp>
#include <lrqat/method/peqa.hpp>
#include <lrqat/placement/weight_domain.hpp>
#include <lrqat/trainable/trainable_set.hpp>

namespace lrqat::method {

/// EfficientQAT's first stage, Block-AP (Chen et al., arXiv 2407.11062): W_hat = s (clip(round(W / s)
/// + z, 0, 2^b - 1) - z), trained W, s, z; z = clip(round(z), 0, 2^b - 1) straight through, mask on
/// the rounded value, min-max start. Trained one block of a model at a time against the float
/// block's output (train/block_reconstruction.hpp). Merges exactly.
///
/// A scale below 1e-8 gets no gradient and stays; the published code clamps scales to [1e-4, 1e4]
/// straight through, so that one below the clamp comes back.
template <int Bits, std::size_t GroupSize = 128, class... Others>
using BlockAp = QuantLinear<UInt<Bits>, PerGroup<GroupSize>, FullRank, WeightDomain,
                            AdapterAndQParams, Others...>;

/// The second stage, E2E-QP: integers and zero points frozen, scales trained, as PEQA.
///
///   EndToEndQp<2, 64> second = block_ap.convert_to<EndToEndQp<2, 64>>();   // the same integers
template <int Bits, std::size_t GroupSize = 128, class... Others>
using EndToEndQp = Peqa<UInt<Bits>, PerGroup<GroupSize>, Others...>;

}  // namespace lrqat::method

#endif  // LRQAT_METHOD_EFFICIENT_QAT_HPP
