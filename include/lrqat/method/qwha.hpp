// SPDX-License-Identifier: MIT
// method/qwha.hpp: a sparse Walsh-Hadamard adapter, beside the rounding or inside it.
#ifndef LRQAT_METHOD_QWHA_HPP
#define LRQAT_METHOD_QWHA_HPP

#include <lrqat/adapter/sparse_hadamard.hpp>
#include <lrqat/granularity/per_group.hpp>
#include <lrqat/grid/int.hpp>
#include <lrqat/grid/uint.hpp>
#include <lrqat/linear/quant_linear.hpp>
#include <lrqat/placement/inside_rounding.hpp>
#include <lrqat/placement/parallel.hpp>
#include <lrqat/trainable/trainable_set.hpp>

namespace lrqat::method {

/// QWHA (arXiv 2509.17428): W_hat = s (q - z) + alpha F H^-1, integers in groups of 64 inputs,
/// trained the Rank (in + out) coefficients of F. Start them with start_qwha
/// (initializer/eigen/qwha.hpp). No merge(): the branch stays. Not as published: the base is
/// rounded to nearest from MinMax and not by GPTQ with magnitude reduction (give the layer the
/// weight and scales that another method chose); H is scaled to be orthogonal, so alpha is 1 where
/// the published factor is 4000; lengths whose Hadamard matrix needs Williamson's construction or
/// prime powers are transformed block by block.
template <int Bits, std::size_t Rank, class... Others>
using Qwha = QuantLinear<UInt<Bits>, PerGroup<64>, SparseHadamard<Rank>, Parallel, Packed,
                         AdapterOnly, Others...>;

/// Not published: the same adapter inside the rounding of LR-QAT, W_hat = s clip(round(phi(W0/s0) +
/// alpha F H^-1)), coefficients and s trained. Merges exactly. Coefficients start at zero.
template <int Bits, std::size_t Rank, class... Others>
using QwhaInside = QuantLinear<Int<Bits>, SparseHadamard<Rank>, InsideRounding, Others...>;

}  // namespace lrqat::method

#endif  // LRQAT_METHOD_QWHA_HPP
