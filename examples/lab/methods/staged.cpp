// SPDX-License-Identifier: MIT
// examples/lab/methods/staged.cpp: methods whose layers change type on their way.
#include "method.hpp"

#include <lrqat/linear/finalise.hpp>
#include <lrqat/linear/rounding_penalty.hpp>
#include <lrqat/method/ada_round.hpp>
#include <lrqat/method/double_rounding.hpp>
#include <lrqat/method/efficient_qat.hpp>
#include <lrqat/optim/rounding_schedule.hpp>

namespace lrqat::lab {

namespace {

template <int Bits>
using BlockAp = method::BlockAp<Bits, 32>;
template <int Bits>
using EndToEnd = method::EndToEndQp<Bits, 32>;
template <int Bits>
using AdaRound = method::AdaRound<Bits>;
template <int Bits>
using LowRankAdaRound = method::LowRankAdaRound<Bits, dynamic>;

AnyLinear end_to_end(const AnyLinear& any, const QuantOptions& options) {
  return made_from<BlockAp, 4, 3, 2>(any, [&]<class Layer>(const Layer& layer) {
    return AnyLinear(layer.template convert_to<EndToEnd<Layer::grid::bits>>(options));
  });
}

ReconstructionPlan block_ap_plan(int bits) {
  ReconstructionPlan plan;
  plan.epochs = 4;
  plan.batch = 4;
  plan.optimizer.learning_rate = bits == 2 ? 2e-3 : 1e-3;
  plan.optimizer.rules = {{Role::scale, 1e-4}, {Role::zero_point, 1e-4}};
  return plan;
}

/// The regulariser of AdaRound beside the model's own loss.
template <template <int> class Layer>
void penalise(AnyLinear& any, double done) {
  constexpr std::uint64_t steps = 1000;
  RoundingSchedule::Settings settings;
  settings.weight = 1e-6;  // of a mean over tokens, where the paper has a layer's squared errors
  const RoundingSchedule schedule(steps, settings);
  const auto step = static_cast<std::uint64_t>(done * static_cast<double>(steps));
  const auto on = [&](auto* layer) {
    if (layer != nullptr)
      add_rounding_penalty(*layer, static_cast<float>(schedule.weight(step)),
                           static_cast<float>(schedule.exponent(step)));
  };
  on(any.get_if<Layer<4>>()), on(any.get_if<Layer<3>>()), on(any.get_if<Layer<2>>());
}
template <template <int> class Layer>
AnyLinear hardened(const AnyLinear& any, int) {
  return made_from<Layer, 4, 3, 2>(
      any, [](const auto& layer) { return AnyLinear(finalise(layer).merge()); });
}

using Widths = BitWidths<8, 4, 2>;
using DoubleRounding = method::DoubleRounding<Widths, LpSearch<2>>;
using NestedLrQat = method::NestedLrQat<Widths, dynamic, LpSearch<2>>;

template <class Layer>
AnyLinear at_width(const AnyLinear& any, int bits) {
  const auto* const layer = any.get_if<Layer>();
  expects(layer != nullptr, "a layer is of another type than its method made");
  const auto merged = layer->merge();
  if (bits == 4) return AnyLinear(at_bits<4>(merged));
  if (bits == 2) return AnyLinear(at_bits<2>(merged));
  return AnyLinear(merged);
}

}  // namespace

void set_width(AnyLinear& layer, int bits) {
  auto* const trained = layer.get_if<DoubleRounding>();
  auto* const adapted = layer.get_if<NestedLrQat>();
  expects(trained != nullptr || adapted != nullptr, "a layer without nested widths has only one");
  if (trained != nullptr) trained->set_bits(bits);
  if (adapted != nullptr) adapted->set_bits(bits);
}

void add_staged_methods(std::vector<PaperMethod>& all) {
  const std::vector<int> bits{4, 3, 2};
  const auto asymmetric = [](Shape weight, int b, std::size_t rank) {
    return codes_per_group(32, b)(weight, b, rank);
  };
  all.push_back({.name = "efficient-qat-g32",
                 .source = "Chen et al., arXiv 2407.11062",
                 .bits = bits,
                 .size = asymmetric,
                 .layer = maker<BlockAp, 4, 3, 2>(),
                 .reconstruction = block_ap_plan,
                 .converted = end_to_end,
                 .rates = [](int b) {
                   return LearningRates{0, b == 2 ? 1e-3 : 3e-4};
                 }});
  all.push_back({.name = "ada-round",
                 .source = "Nagel et al., arXiv 2004.10568, on the model's loss",
                 .bits = bits,
                 .size = codes_per_channel(),
                 .layer = maker<AdaRound, 4, 3, 2>(),
                 .rates =
                     [](int) {
                       return LearningRates{3e-2, 0};
                     },
                 .before_update = penalise<AdaRound>,
                 .finished = hardened<AdaRound>});
  all.push_back({.name = "ada-round-low-rank",
                 .source = "new: AdaRound with V = V0 + AB",
                 .bits = bits,
                 .size = codes_per_channel(),
                 .layer = maker<LowRankAdaRound, 4, 3, 2>(),
                 .rates =
                     [](int) {
                       return LearningRates{3e-2, 0};
                     },
                 .before_update = penalise<LowRankAdaRound>,
                 .finished = hardened<LowRankAdaRound>});
  all.push_back({.name = "double-rounding",
                 .source = "Huang et al., arXiv 2502.01199",
                 .bits = {8, 4, 2},
                 .size = codes_per_channel(),
                 .layer = [](const LayerJob& job) { return AnyLinear(DoubleRounding(job.weight)); },
                 .rates =
                     [](int) {
                       return LearningRates{1e-3, 1e-4};
                     },
                 .widths = {8, 4, 2},
                 .finished = at_width<DoubleRounding>});
  all.push_back(
      {.name = "lr-qat-nested",
       .source = "new: one adapter for 8, 4 and 2 bits",
       .bits = {8, 4, 2},
       .size = codes_per_channel(),
       .layer = [](const LayerJob& job) { return AnyLinear(NestedLrQat(job.weight, job.options)); },
       .rates =
           [](int) {
             return LearningRates{1e-1, 1e-3};
           },
       .widths = {8, 4, 2},
       .finished = at_width<NestedLrQat>});
}

}  // namespace lrqat::lab
