// SPDX-License-Identifier: MIT
// method/lr_qat.hpp: low-rank quantization-aware training.
#ifndef LRQAT_METHOD_LR_QAT_HPP
#define LRQAT_METHOD_LR_QAT_HPP

#include <lrqat/adapter/low_rank.hpp>
#include <lrqat/grid/int.hpp>
#include <lrqat/initializer/lp_search.hpp>
#include <lrqat/linear/quant_linear.hpp>

namespace lrqat::method {

/// LR-QAT (Bondarenko et al., arXiv 2406.06385, eq. 8): W_hat = s clip(round(phi(W0/s0) +
/// alpha/r A B)), trained A, B, s; range by the L4 search of the published W4 command. Merges
/// exactly. The published code trains bfloat16 copies of s; masters here are float32.
template <int Bits, std::size_t Rank, class... Others>
using LrQat = QuantLinear<Int<Bits>, LowRank<Rank>, InsideRounding, StraightThrough, LpSearch<4>,
                          Others...>;

}  // namespace lrqat::method

#endif  // LRQAT_METHOD_LR_QAT_HPP
