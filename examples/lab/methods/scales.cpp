// SPDX-License-Identifier: MIT
// examples/lab/methods/scales.cpp: methods that freeze integers and train what they are multiplied
// by.
#include "method.hpp"

#include <lrqat/grid/int.hpp>
#include <lrqat/initializer/eigen/gptq_factor.hpp>
#include <lrqat/initializer/gptq.hpp>
#include <lrqat/initializer/lp_search.hpp>
#include <lrqat/method/peqa.hpp>

namespace lrqat::lab {

namespace {

LearningRates peqa_rates(int bits) { return {0, bits == 2 ? 1e-2 : bits == 3 ? 2e-3 : 3e-4}; }

AnyLinear peqa_layer(const LayerJob& job) {
  return with_bits<4, 3, 2>(job.bits, [&](auto bits) {
    return AnyLinear(method::Peqa<Int<bits>, LpSearch<2>>(job.weight));
  });
}

AnyLinear peqa_on_gptq(const LayerJob& job) {
  const GptqFactor factor = gptq_factor(*job.inputs);
  return with_bits<4, 3, 2>(job.bits, [&](auto bits) {
    const WeightOnGrid found = gptq<Int<bits>, PerChannel, LpSearch<2>>(job.weight, factor);
    return AnyLinear(method::Peqa<Int<bits>, LpSearch<2>>(found.weight(), found.qparams));
  });
}

}  // namespace

void add_scale_methods(std::vector<PaperMethod>& all) {
  all.push_back({.name = "peqa",
                 .source = "Kim et al., arXiv 2305.14152",
                 .bits = {4, 3, 2},
                 .size = codes_per_channel(),
                 .layer = peqa_layer,
                 .rates = peqa_rates});
  all.push_back({.name = "peqa-gptq",
                 .source = "PEQA on GPTQ's integers",
                 .bits = {4, 3, 2},
                 .size = codes_per_channel(),
                 .calibrates = true,
                 .layer = peqa_on_gptq,
                 .rates = peqa_rates});
}

}  // namespace lrqat::lab
