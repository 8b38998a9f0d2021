// SPDX-License-Identifier: MIT
// method/efficient_dm.hpp: a low-rank adapter on integers, inside their own quantizer.
#ifndef LRQAT_METHOD_EFFICIENT_DM_HPP
#define LRQAT_METHOD_EFFICIENT_DM_HPP

#include <lrqat/adapter/low_rank.hpp>
#include <lrqat/core/expects.hpp>
#include <lrqat/grid/uint.hpp>
#include <lrqat/initializer/lp_search.hpp>
#include <lrqat/linear/quant_linear.hpp>
#include <lrqat/placement/tied_weight_domain.hpp>
#include <lrqat/storage/packed.hpp>

#include <span>

namespace lrqat::method {

/// The weights of EfficientDM's QALoRA (He et al., arXiv 2310.03270): W_hat = s (clip(round((s (W_int
/// - z) + alpha/r A B) / s) + z, 0, 2^b - 1) - z), trained A, B, s; mask on the rounded value, no
/// gradient through the dequantizer. Merges exactly, into W_int. The paper's adapter has no gain:
/// QuantOptions::alpha = rank.
///
/// The range is searched for the smallest L2.4 error as there, among 100 thresholds in place of 80.
/// Its activations have a scale for each denoising step; Input<> has one kind for all tokens.
template <int Bits, std::size_t Rank = 32, class... Others>
using EfficientDm =
    QuantLinear<UInt<Bits>, Packed, LowRank<Rank>, TiedWeightDomain, LpSearch<12, 5>, Others...>;

/// The learning rate of one layer's adapter, mean(s) / 2500: a step of the adapter is the same part
/// of a grid step in every layer, which takes an optimizer for each of them.
/// @param scales  the layer's, at least one (checked)
inline double scale_aware_learning_rate(std::span<const float> scales) {
  expects(!scales.empty(), "scale_aware_learning_rate: there are no scales");
  double sum = 0;
  for (const float scale : scales) sum += static_cast<double>(scale);
  return sum / static_cast<double>(scales.size()) / 2500;
}

}  // namespace lrqat::method

#endif  // LRQAT_METHOD_EFFICIENT_DM_HPP
