// SPDX-License-Identifier: MIT
// method/qllm.hpp: outlier channels split, similar ones merged, and a low-rank branch tuned.
#ifndef LRQAT_METHOD_QLLM_HPP
#define LRQAT_METHOD_QLLM_HPP

#include <lrqat/adapter/low_rank.hpp>
#include <lrqat/grid/uint.hpp>
#include <lrqat/input/input.hpp>
#include <lrqat/linear/quant_linear.hpp>
#include <lrqat/linear/requantise.hpp>
#include <lrqat/placement/parallel.hpp>
#include <lrqat/trainable/trainable_set.hpp>

#include <cstddef>

namespace lrqat::method {

/// QLLM's layer while it is tuned (Liu et al., arXiv 2310.08041): y = Q(x) (Q(W) + alpha/r A B)^T,
/// integers and scales of W for each output, of x for each token, trained A and B. It stands behind
/// the channels that split_and_merge_channels finds (SplitMergeLinear), is tuned against the float
/// model's blocks (train/block_reconstruction.hpp; the paper takes four blocks at a time), and
/// merge_requantised() rounds the branch into the integers, which is not exact.
///
/// The paper: 5e-4 with AdamW, 10 epochs over 128 sequences.
template <int WeightBits, int InputBits, std::size_t Rank, class... Others>
using Qllm = QuantLinear<UInt<WeightBits>, Packed, LowRank<Rank>, Parallel, AdapterOnly,
                         Input<UInt<InputBits>>, Others...>;

}  // namespace lrqat::method

#endif  // LRQAT_METHOD_QLLM_HPP
