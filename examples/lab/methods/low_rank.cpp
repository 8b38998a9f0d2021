// SPDX-License-Identifier: MIT
// examples/lab/methods/low_rank.cpp: adapters on a frozen base that end inside the integers.
#include "method.hpp"

#include <lrqat/adapter/low_rank.hpp>
#include <lrqat/adapter/sparse_hadamard.hpp>
#include <lrqat/initializer/eigen/gptq_factor.hpp>
#include <lrqat/initializer/gptq.hpp>
#include <lrqat/initializer/lp_search.hpp>
#include <lrqat/method/efficient_dm.hpp>
#include <lrqat/method/l4q.hpp>
#include <lrqat/method/lr_qat.hpp>
#include <lrqat/method/qwha.hpp>
#include <lrqat/method/rotated_lr_qat.hpp>
#include <lrqat/placement/weight_domain.hpp>

#include <algorithm>
#include <utility>

namespace lrqat::lab {

namespace {

template <int Bits>
using LrQat = QuantLinear<Int<Bits>, FixedPoint, LowRank<dynamic>, LpSearch<2>>;
template <int Bits>
using InWeightUnits = QuantLinear<Int<Bits>, LowRank<dynamic>, WeightDomain, LpSearch<2>>;
template <int Bits>
using Rotated = QuantLinear<Int<Bits>, LowRank<dynamic>, Trust<>, LpSearch<2>, Hadamard<128>>;
template <int Bits>
using Sparse = QuantLinear<Int<Bits>, SparseHadamard<dynamic>, LpSearch<2>>;

AnyLinear lr_qat_on_gptq(const LayerJob& job) {
  const GptqFactor factor = gptq_factor(*job.inputs);
  return with_bits<4, 3, 2>(job.bits, [&](auto bits) {
    const WeightOnGrid found = gptq<Int<bits>, PerChannel, LpSearch<2>>(job.weight, factor);
    return AnyLinear(LrQat<bits>(found.weight(), found.qparams, job.options));
  });
}

template <int Bits>
using L4q = QuantLinear<Offset<Int<Bits>>, PerGroup<32>, LowRank<dynamic>, WeightDomain,
                        StraightThroughClipFirst, NoClip, AdapterAndQParams>;
template <int Bits>
using EfficientDm = method::EfficientDm<Bits, dynamic>;

/// The paper's adapter has no gain.
template <int Bits>
EfficientDm<Bits> efficient_dm_of(const LayerJob& job) {
  QuantOptions options = job.options;
  options.alpha = static_cast<float>(options.rank);
  return EfficientDm<Bits>(job.weight, options);
}
AnyLinear efficient_dm_weights(const LayerJob& job) {
  return with_bits<4, 3, 2>(job.bits,
                            [&](auto bits) { return AnyLinear(efficient_dm_of<bits>(job)); });
}
/// Inputs in 8 bits, from the extremes of the calibration on.
AnyLinear efficient_dm_with_inputs(const LayerJob& job) {
  const auto [low, high] =
      std::pair{std::ranges::min(job.inputs->low()), std::ranges::max(job.inputs->high())};
  return with_bits<4, 3, 2>(job.bits, [&](auto bits) {
    using Layer = method::EfficientDmInputs<bits, 8, dynamic>;
    return AnyLinear(Layer(efficient_dm_of<bits>(job), Layer::scale_of_range(low, high)));
  });
}

LearningRates weight_domain_rates(int bits) { return {1e-2, bits == 2 ? 5e-3 : 3e-4}; }
/// Of adapters times the mean scale, where the paper has 1 / 2500 for seventy times as many steps.
/// Of scales the paper's: the base moves with them, which their gradient does not see.
LearningRates scale_aware_rates(int bits) { return {bits == 2 ? 1.0 / 40 : 1.0 / 10, 1e-6}; }

}  // namespace

void add_low_rank_methods(std::vector<PaperMethod>& all) {
  const std::vector<int> bits{4, 3, 2};
  all.push_back({.name = "lr-qat",
                 .source = "Bondarenko et al., arXiv 2406.06385",
                 .bits = bits,
                 .size = codes_per_channel(),
                 .layer = maker<LrQat, 4, 3, 2>(),
                 .rates = lr_qat_rates});
  all.push_back({.name = "lr-qat-gptq",
                 .source = "LR-QAT on GPTQ's integers",
                 .bits = bits,
                 .size = codes_per_channel(),
                 .calibrates = true,
                 .layer = lr_qat_on_gptq,
                 .rates = lr_qat_rates});
  all.push_back({.name = "lr-qat-rotated",
                 .source = "new: LR-QAT, Hadamard basis, trust estimator",
                 .bits = bits,
                 .deployed = Deployed::codes_and_turned,
                 .size = codes_per_channel(),
                 .layer = maker<Rotated, 4, 3, 2>(),
                 .rates = lr_qat_rates});
  all.push_back({.name = "lr-qat-sparse",
                 .source = "new: QWHA's adapter inside the rounding",
                 .bits = bits,
                 .size = codes_per_channel(),
                 .layer = maker<Sparse, 4, 3, 2>(),
                 .rates = lr_qat_rates});
  all.push_back({.name = "lora-in-rounding",
                 .source = "low rank in weight units, live scale",
                 .bits = bits,
                 .size = codes_per_channel(),
                 .layer = maker<InWeightUnits, 4, 3, 2>(),
                 .rates = weight_domain_rates});
  all.push_back({.name = "l4q-g32",
                 .source = "Jeon et al., arXiv 2402.04902",
                 .bits = bits,
                 .size = codes_per_group(32, 16),
                 .layer = maker<L4q, 4, 3, 2>(),
                 .rates = weight_domain_rates});
  PaperMethod efficient_dm{.name = "efficient-dm",
                           .source = "He et al., arXiv 2310.03270, weights",
                           .bits = bits,
                           .size = codes_and_zero_points,
                           .layer = efficient_dm_weights,
                           .rates = scale_aware_rates,
                           .rate_factors = method::scale_aware_factors};
  all.push_back(efficient_dm);
  efficient_dm.name = "efficient-dm-a8";
  efficient_dm.source = "He et al., arXiv 2310.03270, static inputs";
  efficient_dm.calibrates = true;
  efficient_dm.layer = efficient_dm_with_inputs;
  all.push_back(efficient_dm);
}

}  // namespace lrqat::lab
