// SPDX-License-Identifier: MIT
// method/lsq.hpp: full quantization-aware training with learned step sizes.
#ifndef LRQAT_METHOD_LSQ_HPP
#define LRQAT_METHOD_LSQ_HPP

#include <lrqat/adapter/full_rank.hpp>
#include <lrqat/estimator/lsq.hpp>
#include <lrqat/grid/int.hpp>
#include <lrqat/grid/offset.hpp>
#include <lrqat/linear/quant_linear.hpp>
#include <lrqat/placement/weight_domain.hpp>
#include <lrqat/trainable/trainable_set.hpp>

namespace lrqat::method {

/// Full QAT as in LR-QAT's baseline (eq. 3): W and s trained, mask on the rounded value, no
/// factor on the scale's gradient. Add the estimator lrqat::Lsq in place of it for the paper of
/// Esser et al. (ICLR 2020): LsqPaper.
template <int Bits, class... Others>
using FullQat = QuantLinear<Int<Bits>, FullRank, WeightDomain, StraightThrough, Others...>;

template <int Bits, class... Others>
using LsqPaper = QuantLinear<Int<Bits>, FullRank, WeightDomain, Lsq, Others...>;

/// LSQ+ (Bhalgat et al., CVPR workshops 2020) on a weight: a trained real offset beside the scale,
/// both gradients with the factor of Lsq. MinMax puts the lowest level on the smallest weight, beta =
/// min - s n. (The paper gives offsets to activations, and to weights a symmetric start at three
/// standard deviations.) Merges exactly, to codes, scales and offsets.
template <int Bits, class... Others>
using LsqPlus =
    QuantLinear<Offset<Int<Bits>>, FullRank, WeightDomain, Lsq, AdapterAndQParams, Others...>;

}  // namespace lrqat::method

#endif  // LRQAT_METHOD_LSQ_HPP
