// SPDX-License-Identifier: MIT
// examples/lab/methods/full.cpp: methods that train the weights themselves.
#include "method.hpp"
#include "steps.hpp"

#include <lrqat/initializer/lp_search.hpp>
#include <lrqat/linear/token_adaptive_linear.hpp>
#include <lrqat/method/llm_qat.hpp>
#include <lrqat/method/lsq.hpp>
#include <lrqat/method/quest.hpp>
#include <lrqat/method/ternary.hpp>
#include <lrqat/nn/token_marking.hpp>

#include <memory>

namespace lrqat::lab {

namespace {

template <int Bits>
using FullQat = method::FullQat<Bits, LpSearch<2>>;
template <int Bits>
using Lsq = method::LsqPaper<Bits, LpSearch<2>>;
template <int Bits>
using LsqPlus = method::LsqPlus<Bits>;
/// Activations stay as they are: this table is about weights.
template <int Bits>
using Quest = QuantLinear<MidRise<Bits>, FullRank, WeightDomain, Trust<>, GaussianRms,
                          MeasuredScale, Hadamard<128>>;
template <int Bits>
using LlmQat = method::LlmQat<Bits, 16>;
template <int>
using Ternary = method::TernaryPer<PerChannel>;

}  // namespace

void add_full_methods(std::vector<PaperMethod>& all) {
  all.push_back({.name = "full-qat",
                 .source = "LR-QAT's LSQ baseline",
                 .bits = {4, 3, 2},
                 .size = codes_per_channel(),
                 .layer = maker<FullQat, 4, 3, 2>(),
                 .rates = full_rates});
  all.push_back({.name = "lsq",
                 .source = "Esser et al., arXiv 1902.08153",
                 .bits = {4, 3, 2},
                 .size = codes_per_channel(),
                 .layer = maker<Lsq, 4, 3, 2>(),
                 .rates = full_rates});
  all.push_back({.name = "lsq-plus",
                 .source = "Bhalgat et al. 2020, weights",
                 .bits = {4, 3, 2},
                 .size = codes_per_channel(16),
                 .layer = maker<LsqPlus, 4, 3, 2>(),
                 .rates = full_rates});
  all.push_back({.name = "quest",
                 .source = "Panferov et al., arXiv 2502.05003, weights",
                 .bits = {4, 3, 2, 1},
                 .deployed = Deployed::codes_and_turned,
                 .size = codes_per_channel(),
                 .layer = maker<Quest, 4, 3, 2, 1>(),
                 .rates = full_rates});
  all.push_back({.name = "llm-qat",
                 .source = "Liu et al., arXiv 2305.17888, weights",
                 .bits = {4, 3, 2},
                 .size = codes_per_channel(),
                 .layer = maker<LlmQat, 4, 3, 2>(),
                 .rates = full_rates,
                 .follows_teacher = true,
                 .writes_its_text = true});
  all.push_back({.name = "gaqat",
                 .source = "Jiang et al., arXiv 2412.05551, on LSQ",
                 .bits = {4, 3, 2},
                 .size = codes_per_channel(),
                 .layer = maker<Lsq, 4, 3, 2>(),
                 .rates = full_rates,
                 .step = gaqat_step});
  all.push_back({.name = "ternary",
                 .source = "Li and Liu, arXiv 1605.04711",
                 .bits = {2},
                 .size = codes_per_channel(),
                 .layer = maker<Ternary, 2>(),
                 .rates = full_rates});
  all.push_back({.name = "teacher-intervention",
                 .source = "Kim et al., arXiv 2302.11812, weights",
                 .bits = {2},
                 .size = codes_per_channel(),
                 .layer = maker<Ternary, 2>(),
                 .rates = full_rates,
                 .step = teacher_intervention_step});
  all.push_back(
      {.name = "edge-qat",
       .source = "Shen et al., arXiv 2402.10787, inputs of 8 and 4 bits",
       .bits = {4, 3, 2},
       .size = codes_per_channel(),
       .layer =
           [](const LayerJob& job) {
             return AnyLinear(TokenAdaptiveLinear(maker<Lsq, 4, 3, 2>()(job)));
           },
       .rates = full_rates,
       .step = edge_qat_step,
       .guide =
           [](Model& model) { return std::make_shared<TokenMarking<AnyLinear>>(model, 0.5); }});
}

}  // namespace lrqat::lab
