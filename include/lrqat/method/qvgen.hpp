// SPDX-License-Identifier: MIT
// method/qvgen.hpp: full QAT with a low-rank branch that helps training and is gone at its end.
#ifndef LRQAT_METHOD_QVGEN_HPP
#define LRQAT_METHOD_QVGEN_HPP

#include <lrqat/linear/branched_linear.hpp>
#include <lrqat/method/lsq.hpp>

namespace lrqat::method {

/// QVGen (Huang et al., arXiv 2505.11497): the weight trained on its grid, with a learned scale and
/// offset, beside a branch that starts as the SVD of W - W_hat and loses half of its columns a
/// phase, so that the weight takes over from it:
///
///   QvGen<4, 32> layer(LsqPlus<4>(weight), {.alpha = 32});
///   const auto error = quantization_error(layer.layer(), weight);
///   const auto start = svd_low_rank({error.data(), out, in}, 32);
///   layer.branch().set_factors(start.a(), start.b());
///
///   const RankGate now = rank_gate(step, 32, 333);  // before each step
///   auto& branch = layer.branch();
///   if (now.rank < branch.rank()) branch.set_gate(now.rank, 0), shrink(branch, now.rank);
///   branch.set_gate(now.kept, now.gate);
///
/// At rank 0 merge() is exact. Ours has LSQ+'s offset in units of the weight, where the paper's
/// real zero is one of the grid: the same values, but an offset that stays where it is when the
/// scale learns. Its learned clips of activations for each timestep are not here; the teacher's
/// outputs are Distilled's (train/distilled.hpp).
template <int Bits, std::size_t MaxRank, class... Others>
using QvGen = BranchedLinear<LsqPlus<Bits, Others...>, MaxRank>;

}  // namespace lrqat::method

#endif  // LRQAT_METHOD_QVGEN_HPP
