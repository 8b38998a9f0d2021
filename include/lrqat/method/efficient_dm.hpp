// SPDX-License-Identifier: MIT
// method/efficient_dm.hpp: a low-rank adapter on integers, inside their own quantizer.
#ifndef LRQAT_METHOD_EFFICIENT_DM_HPP
#define LRQAT_METHOD_EFFICIENT_DM_HPP

#include <lrqat/adapter/low_rank.hpp>
#include <lrqat/core/expects.hpp>
#include <lrqat/core/parameter.hpp>
#include <lrqat/grid/uint.hpp>
#include <lrqat/initializer/lp_search.hpp>
#include <lrqat/linear/learned_input_linear.hpp>
#include <lrqat/linear/quant_linear.hpp>
#include <lrqat/placement/tied_weight_domain.hpp>
#include <lrqat/storage/packed.hpp>

#include <cstddef>
#include <map>
#include <numeric>
#include <string>
#include <vector>

namespace lrqat::method {

/// The weights of EfficientDM's QALoRA (He et al., arXiv 2310.03270): W_hat = s (clip(round((s
/// (W_int
/// - z) + alpha/r A B) / s) + z, 0, 2^b - 1) - z), trained A, B, s; mask on the rounded value, no
/// gradient through the dequantizer. Merges exactly, into W_int. The paper's adapter has no gain:
/// QuantOptions::alpha = rank.
///
/// The range is searched for the smallest L2.4 error as there, among 100 thresholds in place of 80.
template <int Bits, std::size_t Rank = 32, class... Others>
using EfficientDm =
    QuantLinear<UInt<Bits>, Packed, LowRank<Rank>, TiedWeightDomain, LpSearch<12, 5>, Others...>;

/// The same behind its activations' quantizer: a learned scale and zero point for each denoising
/// step, all starting at LearnedInputLinear::scale_of_range of calibrated extremes.
template <int Bits, int InputBits, std::size_t Rank = 32, class... Others>
using EfficientDmInputs = LearnedInputLinear<EfficientDm<Bits, Rank, Others...>, UInt<InputBits>>;

/// The scale-aware learning rates of a model's adapters, as AdamWOptions::factors: for each
/// parameter of Role::adapter the mean of its layer's "scale", else 1. Times the paper's 1 / 2500 a
/// step of the adapter is the same part of a grid step in every layer.
/// @param parameters  as the optimizer is given them, named layer.A, layer.scale
/// Errors: an adapter without a scale beside it.
inline std::vector<double> scale_aware_factors(const Parameters<float>& parameters) {
  const auto layer_of = [](const Parameter<float>& each) {
    const std::size_t dot = each.name.rfind('.');
    return dot == std::string::npos ? std::string() : each.name.substr(0, dot);
  };
  std::map<std::string, double> mean_scale;
  for (const Parameter<float>& each : parameters)
    if (each.role == Role::scale && !each.value.empty())
      mean_scale[layer_of(each)] = std::accumulate(each.value.begin(), each.value.end(), 0.0) /
                                   static_cast<double>(each.value.size());
  std::vector<double> factors;
  for (const Parameter<float>& each : parameters) {
    const auto scale = mean_scale.find(layer_of(each));
    expects(each.role != Role::adapter || scale != mean_scale.end(), "scale_aware_factors: '",
            each.name, "' has no scale beside it");
    factors.push_back(each.role == Role::adapter ? scale->second : 1.0);
  }
  return factors;
}

}  // namespace lrqat::method

#endif  // LRQAT_METHOD_EFFICIENT_DM_HPP
