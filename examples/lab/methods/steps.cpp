// SPDX-License-Identifier: MIT
// examples/lab/methods/steps.cpp: training steps that some methods have of their own.
#include "steps.hpp"

#include <lrqat/train/edge_qat.hpp>
#include <lrqat/train/next_token.hpp>
#include <lrqat/train/scale_freezing.hpp>
#include <lrqat/train/sharpness_aware.hpp>
#include <lrqat/train/teacher_intervention.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace lrqat::lab {

namespace {

/// A step that cannot be copied, as one that can.
template <class Step>
TrainingStep shared(std::shared_ptr<Step> step) {
  return [step](std::span<const std::uint16_t> inputs, std::span<const std::uint16_t> targets,
                std::size_t batch, std::size_t length,
                float scale) { return (*step)(inputs, targets, batch, length, scale); };
}

}  // namespace

TrainingStep gaqat_step(const Lesson& lesson, TrainPlan& plan) {
  ScaleFreezingOptions options;
  options.every = std::max<std::uint64_t>(2, std::min(options.every, plan.steps / 5));
  options.window = options.every;
  const auto freezing = std::make_shared<ScaleFreezing>(lesson.model.parameters(), options);
  plan.before_update = [freezing](std::uint64_t step) { freezing->before_update(step); };
  SharpnessAwareOptions sharpness{.rho = 0.01, .task_weight = 1};
  sharpness.task_gradients = [freezing] { freezing->task_gradients(); };
  return SharpnessAware(next_token(lesson.model), lesson.model.parameters(), sharpness);
}

TrainingStep teacher_intervention_step(const Lesson& lesson, TrainPlan& plan) {
  const auto when = [&optimizer = lesson.optimizer, steps = plan.steps / 2] {
    return gradual_intervention(optimizer.steps(), steps);
  };
  // Nothing norms a LLaMA's residual stream and scores: at 1 they would drown the logits.
  const InterventionLosses losses{.hidden = 0.1, .middle = 0.1, .scores = 0.01};
  return shared(std::make_shared<TeacherIntervention<AnyLinear, AnyLinear>>(
      lesson.model, lesson.teacher, when, losses));
}

TrainingStep edge_qat_step(const Lesson& lesson, TrainPlan&) {
  return shared(std::make_shared<EdgeQat<AnyLinear, AnyLinear>>(lesson.model, lesson.teacher));
}

}  // namespace lrqat::lab
