// SPDX-License-Identifier: MIT
// method/rotated_lr_qat.hpp: LR-QAT in a Hadamard basis with QuEST's estimator.
#ifndef LRQAT_METHOD_ROTATED_LR_QAT_HPP
#define LRQAT_METHOD_ROTATED_LR_QAT_HPP

#include <lrqat/adapter/low_rank.hpp>
#include <lrqat/estimator/trust.hpp>
#include <lrqat/grid/int.hpp>
#include <lrqat/initializer/lp_search.hpp>
#include <lrqat/linear/quant_linear.hpp>
#include <lrqat/transform/hadamard.hpp>

namespace lrqat::method {

/// No paper: LR-QAT (arXiv 2406.06385) on the weight W0 H of QuEST's blocks of 128 (arXiv 2502.05003)
/// with its trust estimator; W_hat = s clip(round(phi(W0 H / s0) + alpha/r A B)) meets H x. It merges
/// exactly, and the transform of x stays. Add an input quantizer, e.g. Input<UInt<8>>, and it works
/// on H x, which has fewer outliers.
template <int Bits, std::size_t Rank, class... Others>
using RotatedLrQat = QuantLinear<Int<Bits>, LowRank<Rank>, InsideRounding, Trust<>, LpSearch<4>,
                                 Hadamard<128>, Others...>;

}  // namespace lrqat::method

#endif  // LRQAT_METHOD_ROTATED_LR_QAT_HPP
