// SPDX-License-Identifier: MIT
// method/ada_round.hpp: learned rounding, up or down, with a trained number for each weight or few.
#ifndef LRQAT_METHOD_ADA_ROUND_HPP
#define LRQAT_METHOD_ADA_ROUND_HPP

#include <lrqat/adapter/full_rank_delta.hpp>
#include <lrqat/adapter/low_rank.hpp>
#include <lrqat/grid/int.hpp>
#include <lrqat/grid/unrounded.hpp>
#include <lrqat/initializer/lp_search.hpp>
#include <lrqat/linear/finalise.hpp>
#include <lrqat/linear/quant_linear.hpp>
#include <lrqat/linear/rounding_penalty.hpp>
#include <lrqat/placement/bounded_rounding.hpp>

namespace lrqat::method {

/// AdaRound (Nagel et al., arXiv 2004.10568) as BRECQ (Li et al., arXiv 2102.05426) uses it:
/// W_hat = s clip(floor(W/s) + h(V)), trained V, frozen s of the L2.4 search. A step is
///
///   layer.backward(x, grad_y, grad_x);
///   add_rounding_penalty(layer, schedule.weight(step), schedule.exponent(step));
///
/// with RoundingSchedule, and finalise(layer) ends it: plain integers, which merge exactly.
/// Which outputs are compared, a layer's, a block's, weighted or not, is up to the loop.
/// Deviations: V is kept as its difference to the first V, which no optimizer without decay
/// notices; a weight that starts at an integer stays there, where PyTorch's clamp lets it go up;
/// the search tries 100 ranges, not 80.
template <int Bits, class... Others>
using AdaRound = QuantLinear<Unrounded<Int<Bits>>, FullRankDelta, BoundedRounding, Dense<float>,
                             LpSearch<12, 5>, AdapterOnly, Others...>;

/// The same with V = V0 + alpha/r A B and LR-QAT's base, one byte a weight for up to 7 bits: what
/// is trained shrinks from one number a weight to r (out + in), and a delta cannot carry a weight
/// further than to its neighbours. Not from a paper.
template <int Bits, std::size_t Rank, class... Others>
using LowRankAdaRound = QuantLinear<Unrounded<Int<Bits>>, LowRank<Rank>, BoundedRounding,
                                    LpSearch<12, 5>, AdapterOnly, Others...>;

}  // namespace lrqat::method

#endif  // LRQAT_METHOD_ADA_ROUND_HPP
