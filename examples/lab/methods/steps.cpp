// SPDX-License-Identifier: MIT
// examples/lab/methods/steps.cpp: training steps that some methods have of their own.
#include "steps.hpp"

#include <lrqat/train/next_token.hpp>
#include <lrqat/train/scale_freezing.hpp>
#include <lrqat/train/sharpness_aware.hpp>

#include <algorithm>
#include <memory>

namespace lrqat::lab {

TrainingStep gaqat_step(Model& model, Model&, TrainPlan& plan) {
  ScaleFreezingOptions options;
  options.every = std::max<std::uint64_t>(2, std::min(options.every, plan.steps / 5));
  options.window = options.every;
  const auto freezing = std::make_shared<ScaleFreezing>(model.parameters(), options);
  plan.before_update = [freezing](std::uint64_t step) { freezing->before_update(step); };
  plan.kept = freezing->kept();
  SharpnessAwareOptions sharpness{.rho = 0.05, .task_weight = 1};
  sharpness.task_gradients = [freezing] { freezing->task_gradients(); };
  return SharpnessAware(next_token(model), model.parameters(), sharpness);
}

}  // namespace lrqat::lab
