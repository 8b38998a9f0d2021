// SPDX-License-Identifier: MIT
// examples/lab/methods/calibrated.cpp: post-training methods that look at what layers read.
#include "method.hpp"

#include <lrqat/grid/int.hpp>
#include <lrqat/grid/uint.hpp>
#include <lrqat/initializer/awq.hpp>
#include <lrqat/initializer/eigen/gptq_factor.hpp>
#include <lrqat/initializer/gptq.hpp>
#include <lrqat/initializer/lp_search.hpp>
#include <lrqat/initializer/two_level.hpp>
#include <lrqat/linear/quant_linear.hpp>
#include <lrqat/nn/fold.hpp>

#include <array>
#include <span>

namespace lrqat::lab {

namespace {

template <int Bits>
using Stored = QuantLinear<Int<Bits>, Packed, ScaleOnly>;

AnyLinear gptq_layer(const LayerJob& job) {
  const GptqFactor factor = gptq_factor(*job.inputs);
  return with_bits<4, 3, 2>(job.bits, [&](auto bits) {
    const WeightOnGrid found = gptq<Int<bits>, PerChannel, LpSearch<2>>(job.weight, factor);
    return AnyLinear(Stored<bits>(found.weight(), found.qparams).merge());
  });
}

/// The scale of the inputs that these layers share.
template <int Bits>
std::vector<float> shared_scale(const LlamaConfig& config, const LlamaWeights::Block& block,
                                const Calibration& seen, std::size_t b,
                                std::span<const LinearKind> kinds) {
  std::vector<MatrixView<const float>> weights;
  for (const LinearKind kind : kinds) {
    const Shape shape = linear_shape(config, kind);
    weights.push_back({linear_weight(block, kind).data(), shape.rows, shape.cols});
  }
  return awq_scale<Int<Bits>, PerChannel, LpSearch<2>>(
             std::span<const MatrixView<const float>>(weights), seen.inputs({b, kinds.front()}))
      .scale;
}

template <int Bits>
LlamaWeights awq_folded(const LlamaWeights& weights, const Calibration& seen) {
  constexpr std::array attention{LinearKind::query, LinearKind::key, LinearKind::value};
  constexpr std::array mlp{LinearKind::gate, LinearKind::up};
  constexpr std::array down{LinearKind::down};
  LlamaWeights folded = weights;
  for (std::size_t b = 0; b < folded.blocks.size(); ++b) {
    LlamaWeights::Block& block = folded.blocks[b];
    const auto scale = [&](std::span<const LinearKind> kinds) {
      return shared_scale<Bits>(weights.config, block, seen, b, kinds);
    };
    fold_into_attention_norm(block, scale(attention));
    fold_into_mlp_norm(block, scale(mlp));
    fold_into_up(weights.config, block, scale(down));
  }
  return folded;
}

LlamaWeights awq_fold(const LlamaWeights& weights, const Calibration& seen, int bits) {
  return bits == 4   ? awq_folded<4>(weights, seen)
         : bits == 3 ? awq_folded<3>(weights, seen)
                     : awq_folded<2>(weights, seen);
}

AnyLinear awq_layer(const LayerJob& job) {
  return with_bits<4, 3, 2>(job.bits, [&](auto bits) {
    const WeightOnGrid found = awq_clip<Int<bits>>(job.weight, *job.inputs);
    return AnyLinear(Stored<bits>(found.weight(), found.qparams).merge());
  });
}

AnyLinear qserve_layer(const LayerJob& job) {
  const WeightOnGrid found = two_level(job.weight, 32).on_one_level();
  QuantOptions options;
  options.group_size = 32;
  return AnyLinear(QuantLinear<UInt<4>, PerGroup<dynamic>, Packed, ScaleOnly>(
                       found.weight(), found.qparams, options)
                       .merge());
}

}  // namespace

void add_calibrated_methods(std::vector<PaperMethod>& all) {
  all.push_back({.name = "gptq",
                 .source = "Frantar et al., arXiv 2210.17323",
                 .bits = {4, 3, 2},
                 .size = codes_per_channel(),
                 .calibrates = true,
                 .layer = gptq_layer});
  all.push_back({.name = "awq",
                 .source = "Lin et al., arXiv 2306.00978",
                 .bits = {4, 3, 2},
                 .size = codes_per_channel(),
                 .calibrates = true,
                 .layer = awq_layer,
                 .fold = awq_fold});
  all.push_back({.name = "qserve-g32",
                 .source = "Lin et al., arXiv 2405.04532, weights",
                 .bits = {4},
                 .size =
                     [](Shape weight, int bits, std::size_t) {
                       const double cells =
                           static_cast<double>(weight.rows * ((weight.cols + 31) / 32));
                       return bits * static_cast<double>(weight.size()) + 12 * cells +
                              16.0 * static_cast<double>(weight.rows);
                     },
                 .layer = qserve_layer});
}

}  // namespace lrqat::lab
