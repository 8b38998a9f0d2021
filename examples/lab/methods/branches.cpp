// SPDX-License-Identifier: MIT
// examples/lab/methods/branches.cpp: adapters beside the codes, which stay there or fade out.
#include "method.hpp"

#include <lrqat/adapter/gated_low_rank.hpp>
#include <lrqat/grid/codebook.hpp>
#include <lrqat/initializer/double_quantization.hpp>
#include <lrqat/initializer/eigen/loftq.hpp>
#include <lrqat/initializer/eigen/lqer.hpp>
#include <lrqat/initializer/eigen/qwha.hpp>
#include <lrqat/initializer/eigen/shrink.hpp>
#include <lrqat/initializer/eigen/svd_low_rank.hpp>
#include <lrqat/initializer/lp_search.hpp>
#include <lrqat/initializer/quantization_error.hpp>
#include <lrqat/method/loftq.hpp>
#include <lrqat/method/lqer.hpp>
#include <lrqat/method/qlora.hpp>
#include <lrqat/method/qvgen.hpp>
#include <lrqat/method/qwha.hpp>

namespace lrqat::lab {

namespace {

LearningRates branch_rates(int) { return {2e-3, 3e-4}; }

std::size_t blocks_of_64(Shape weight) { return weight.rows * ((weight.cols + 63) / 64); }

double double_quantized_bits(Shape weight, int bits, std::size_t) {
  return double_quantized_bits_per_weight(bits, weight.size(), blocks_of_64(weight)) *
         static_cast<double>(weight.size());
}

/// A scale of 16 bits each block.
double codes_per_block(Shape weight, int bits, std::size_t) {
  return bits * static_cast<double>(weight.size()) +
         16.0 * static_cast<double>(blocks_of_64(weight));
}

AnyLinear qlora_layer(const LayerJob& job) {
  method::Qlora<dynamic> layer(job.weight, job.options);
  double_quantize(layer.weight().scales());
  return AnyLinear(std::move(layer));
}

AnyLinear loftq_start(const LayerJob& job) {
  if (job.bits == 2)
    return AnyLinear(loftq_layer<method::LoftQ<Nf2, dynamic>>(job.weight, 5, job.options));
  return AnyLinear(loftq_layer<method::LoftQ<Nf4, dynamic>>(job.weight, 5, job.options));
}

AnyLinear lqer_layer(const LayerJob& job) {
  QuantOptions options = job.options;
  options.alpha = static_cast<float>(options.rank);
  return with_bits<4, 3, 2>(job.bits, [&](auto bits) {
    method::Lqer<bits, dynamic> layer(job.weight, options);
    AlignedVector<float> rounded(job.weight.shape().size());
    const MatrixView<float> view(rounded.data(), job.weight.rows, job.weight.cols);
    layer.weight().weight({0, 0, view.rows, view.cols}, view);
    const std::vector<double> seen = job.inputs->mean_abs();
    const std::vector<float> magnitudes(seen.begin(), seen.end());
    LowRankFactors factors = l2qer(job.weight, view, magnitudes, options.rank);
    method::set_mxint8_factors(layer, factors.a(), factors.b());
    return AnyLinear(std::move(layer));
  });
}

AnyLinear qwha_layer(const LayerJob& job) {
  QuantOptions options = job.options;
  options.alpha = 1.0f;
  return with_bits<4, 3, 2>(job.bits, [&](auto bits) {
    method::Qwha<bits, dynamic> layer(job.weight, options);
    start_qwha(layer, job.weight, job.inputs->gram());
    return AnyLinear(std::move(layer));
  });
}

constexpr std::size_t qvgen_rank = 8, qvgen_phases = 5;  // ranks 8, 4, 2, 1, 0

template <int Bits>
using QvGen = method::QvGen<Bits, qvgen_rank, LpSearch<2>>;

AnyLinear qvgen_layer(const LayerJob& job) {
  QuantOptions options = job.options;
  options.alpha = qvgen_rank;
  return with_bits<4, 3, 2>(job.bits, [&](auto bits) {
    QvGen<bits> layer(method::LsqPlus<bits, LpSearch<2>>(job.weight, options), options);
    const AlignedVector<float> error = quantization_error(layer.layer(), job.weight);
    const LowRankFactors factors =
        svd_low_rank({error.data(), job.weight.rows, job.weight.cols}, qvgen_rank);
    layer.branch().set_factors(factors.a(), factors.b());
    return AnyLinear(std::move(layer));
  });
}

/// f(layer) for the width that the layer has.
template <template <int> class Layer, int... Widths, class F>
void as_layer(AnyLinear& any, F&& f) {
  const auto on = [&](auto* layer) {
    if (layer != nullptr) f(*layer);
  };
  (on(any.get_if<Layer<Widths>>()), ...);
}

void shrink_branch(AnyLinear& any, std::size_t) {
  as_layer<QvGen, 4, 3, 2>(any, [](auto& layer) {
    auto& branch = layer.branch();
    branch.set_gate(branch.rank() / 2, 0.0f);
    shrink(branch, branch.rank() / 2);
  });
}

void fade_branch(AnyLinear& any, double done) {
  constexpr std::size_t steps = 1000;  // of a phase, as rank_gate counts
  const auto step = static_cast<std::size_t>(done * steps * qvgen_phases);
  as_layer<QvGen, 4, 3, 2>(any, [&](auto& layer) {
    auto& branch = layer.branch();
    const RankGate now = rank_gate(step, qvgen_rank, steps);
    if (now.rank == branch.rank()) branch.set_gate(now.kept, now.gate);
  });
}

}  // namespace

void add_branch_methods(std::vector<PaperMethod>& all) {
  const std::vector<int> bits{4, 3, 2};
  all.push_back({.name = "qlora-nf4",
                 .source = "Dettmers et al., arXiv 2305.14314",
                 .bits = {4},
                 .deployed = Deployed::codes_and_branch,
                 .size = beside_branch(double_quantized_bits),
                 .layer = qlora_layer,
                 .rates = branch_rates});
  all.push_back({.name = "loftq",
                 .source = "Li et al., arXiv 2310.08659",
                 .bits = {4, 2},
                 .deployed = Deployed::codes_and_branch,
                 .size = beside_branch(codes_per_block),
                 .layer = loftq_start,
                 .rates = branch_rates});
  all.push_back({.name = "l2qer",
                 .source = "Zhang et al., arXiv 2402.02446",
                 .bits = bits,
                 .deployed = Deployed::codes_and_branch,
                 .size =
                     [](Shape weight, int b, std::size_t rank) {
                       const auto mxint = [](std::size_t rows, std::size_t cols, int width) {
                         return width * static_cast<double>(rows * cols) +
                                8.0 * static_cast<double>(rows * ((cols + 15) / 16));
                       };
                       return mxint(weight.rows, weight.cols, b) + mxint(weight.rows, rank, 8) +
                              mxint(rank, weight.cols, 8);
                     },
                 .calibrates = true,
                 .layer = lqer_layer});
  all.push_back({.name = "qwha",
                 .source = "arXiv 2509.17428, on round to nearest",
                 .bits = bits,
                 .deployed = Deployed::codes_and_branch,
                 .size =
                     [](Shape weight, int b, std::size_t rank) {
                       return b * static_cast<double>(weight.size()) +
                              (16.0 + b) * static_cast<double>(blocks_of_64(weight)) +
                              32.0 * static_cast<double>(rank * (weight.rows + weight.cols));
                     },
                 .calibrates = true,
                 .layer = qwha_layer,
                 .rates = branch_rates});
  all.push_back({.name = "qvgen",
                 .source = "Huang et al., arXiv 2505.11497, weights",
                 .bits = bits,
                 .size = codes_per_channel(16),
                 .layer = qvgen_layer,
                 .rates = full_rates,
                 .follows_teacher = true,
                 .phases = qvgen_phases,
                 .phase = shrink_branch,
                 .before_update = fade_branch,
                 .finished = [](const AnyLinear& layer, int) { return layer.merge(); }});
}

}  // namespace lrqat::lab
