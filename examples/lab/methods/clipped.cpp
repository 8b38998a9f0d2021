// SPDX-License-Identifier: MIT
// examples/lab/methods/clipped.cpp: methods that freeze weights and learn the range of their grid.
#include "method.hpp"

#include <lrqat/method/omniquant.hpp>

namespace lrqat::lab {

namespace {

template <int Bits>
using Clipped = method::OmniQuant<Bits>;
template <int Bits>
using Transformed = method::OmniQuantLet<Bits>;

/// The published rates, three times that of clips for 2 bits, and epochs; sequences one by one.
ReconstructionPlan omniquant_plan(int bits) {
  ReconstructionPlan plan;
  plan.epochs = 10;
  plan.optimizer.beta2 = 0.999;
  plan.optimizer.rules = {{Role::clip, bits == 2 ? 3e-2 : 1e-2}, {Role::transform, 5e-3}};
  return plan;
}

AnyLinear merged(const AnyLinear& layer, const QuantOptions&) { return layer.merge(); }

}  // namespace

void add_clipped_methods(std::vector<PaperMethod>& all) {
  all.push_back({.name = "omniquant",
                 .source = "Shao et al., arXiv 2308.13137, clips",
                 .bits = {4, 3, 2},
                 .size = codes_and_zero_points,
                 .layer = maker<Clipped, 4, 3, 2>(),
                 .reconstruction = omniquant_plan,
                 .converted = merged});
  all.push_back({.name = "omniquant-let",
                 .source = "Shao et al., arXiv 2308.13137",
                 .bits = {4, 3, 2},
                 .size = codes_and_zero_points,
                 .layer = maker<Transformed, 4, 3, 2>(),
                 .reconstruction = omniquant_plan,
                 .converted = merged,
                 .learns_transforms = true});
}

}  // namespace lrqat::lab
