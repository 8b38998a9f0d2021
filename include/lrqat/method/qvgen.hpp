// SPDX-License-Identifier: MIT
// method/qvgen.hpp: a low-rank branch that helps training and is gone at its end.
#ifndef LRQAT_METHOD_QVGEN_HPP
#define LRQAT_METHOD_QVGEN_HPP

#include <lrqat/adapter/gated_low_rank.hpp>
#include <lrqat/grid/int.hpp>
#include <lrqat/linear/quant_linear.hpp>
#include <lrqat/placement/parallel.hpp>

namespace lrqat::method {

/// The rank decay of QVGen (Huang et al., arXiv 2505.11497): a Parallel branch that starts as the
/// SVD of W - W_hat (svd_low_rank with alpha = MaxRank) and loses half of its columns a phase:
///
///   const RankGate now = rank_gate(step, MaxRank, 333);
///   auto& branch = layer.weight().adapter();
///   if (now.rank < branch.rank()) branch.set_gate(now.rank, 0), shrink(branch, now.rank);
///   branch.set_gate(now.kept, now.gate);
///
/// Trained A, B, s on a frozen base; at rank 0 merge() is exact. Left out, because a layer has one
/// adapter and one placement: QVGen trains the full-precision weight under the branch as well, with
/// a learned real zero (LSQ+), so that its weight can take over from the branch. Nor are its
/// learned activation clips for each timestep and its distillation here.
template <int Bits, std::size_t MaxRank, class... Others>
using QvGen = QuantLinear<Int<Bits>, GatedLowRank<MaxRank>, Parallel, Others...>;

}  // namespace lrqat::method

#endif  // LRQAT_METHOD_QVGEN_HPP
