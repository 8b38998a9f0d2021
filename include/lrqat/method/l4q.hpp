// SPDX-License-Identifier: MIT
// method/l4q.hpp: the gradients of full quantization-aware training, on a low-rank adapter.
#ifndef LRQAT_METHOD_L4Q_HPP
#define LRQAT_METHOD_L4Q_HPP

#include <lrqat/adapter/low_rank.hpp>
#include <lrqat/estimator/straight_through.hpp>
#include <lrqat/granularity/per_group.hpp>
#include <lrqat/grid/int.hpp>
#include <lrqat/grid/offset.hpp>
#include <lrqat/initializer/no_clip.hpp>
#include <lrqat/linear/quant_linear.hpp>
#include <lrqat/placement/weight_domain.hpp>
#include <lrqat/trainable/trainable_set.hpp>

namespace lrqat::method {

/// L4Q (Jeon et al., arXiv 2402.04902): W_hat = s clip(round((W0 + alpha/r A B - beta) / s)) + beta,
/// trained A, B, s, beta; mask before rounding, s as LSQ without its factor, beta as LSQ+. Starts
/// without a clipped weight and with beta = 0. Merges exactly, to codes, scales and offsets.
///
/// The paper: groups of 128 (64 for its 3B model), W0 in 16 bits. The base here is float32; add
/// Dense<bf16> for half of it, whose rounding may push the largest weight of a group over the end.
template <int Bits, std::size_t Rank, std::size_t GroupSize = 128, class... Others>
using L4q = QuantLinear<Offset<Int<Bits>>, PerGroup<GroupSize>, LowRank<Rank>, WeightDomain,
                        StraightThroughClipFirst, NoClip, AdapterAndQParams, Others...>;

}  // namespace lrqat::method

#endif  // LRQAT_METHOD_L4Q_HPP
