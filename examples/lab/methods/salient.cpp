// SPDX-License-Identifier: MIT
// examples/lab/methods/salient.cpp: methods that keep some weights in more bits than the others.
#include "method.hpp"

#include <lrqat/adapter/low_rank.hpp>
#include <lrqat/grid/int.hpp>
#include <lrqat/initializer/eigen/gptq_factor.hpp>
#include <lrqat/initializer/lp_search.hpp>
#include <lrqat/initializer/salient_gptq.hpp>
#include <lrqat/method/pb_llm.hpp>

#include <cmath>

namespace lrqat::lab {

namespace {

constexpr int salient_bits = 8;

/// With 16-bit numbers for each row: `row_numbers` of them, and a scale of its salient weights.
BitCount beside_salient(double fraction, double row_numbers) {
  return [=](Shape weight, int bits, std::size_t) {
    const auto salient =
        static_cast<std::size_t>(std::llround(fraction * static_cast<double>(weight.size())));
    return partial_bits(weight, salient, bits, salient_bits) +
           16.0 * (row_numbers + 1) * static_cast<double>(weight.rows);
  };
}

constexpr double of_signs = 0.1, of_integers = 0.01;

AnyLinear pb_llm_layer(const LayerJob& job) {
  return AnyLinear(salient_layer<method::PbLlm<>>(
      job.weight, salient_by_magnitude(job.weight, of_signs), job.options));
}

AnyLinear pb_llm_gptq_layer(const LayerJob& job) {
  const GptqFactor factor = gptq_factor(*job.inputs);
  return AnyLinear(salient_gptq_layer<method::PbLlmPostTraining<>>(
      job.weight, factor, salient_by_hessian(job.weight, factor, of_signs)));
}

template <int Bits>
using SalientLrQat = QuantLinear<Int<Bits>, FixedPoint, LowRank<dynamic>, LpSearch<2>, Salient<>>;

AnyLinear lr_qat_layer(const LayerJob& job) {
  return with_bits<4, 3, 2>(job.bits, [&](auto bits) {
    return AnyLinear(salient_layer<SalientLrQat<bits>>(
        job.weight, salient_by_magnitude(job.weight, of_integers), job.options));
  });
}

}  // namespace

void add_salient_methods(std::vector<PaperMethod>& all) {
  all.push_back({.name = "pb-llm",
                 .source = "Shang et al., arXiv 2310.00034, 10 % in 8 bits",
                 .bits = {1},
                 .deployed = Deployed::codes_and_sparse,
                 .size = beside_salient(of_signs, 1),
                 .layer = pb_llm_layer,
                 .rates = full_rates});
  all.push_back({.name = "pb-llm-gptq",
                 .source = "the same, after training",
                 .bits = {1},
                 .deployed = Deployed::codes_and_sparse,
                 .size = beside_salient(of_signs, 2),
                 .calibrates = true,
                 .layer = pb_llm_gptq_layer});
  all.push_back({.name = "lr-qat-salient",
                 .source = "new: LR-QAT, 1 % in 8 bits",
                 .bits = {4, 3, 2},
                 .deployed = Deployed::codes_and_sparse,
                 .size = beside_salient(of_integers, 1),
                 .layer = lr_qat_layer,
                 .rates = lr_qat_rates});
}

}  // namespace lrqat::lab
