// SPDX-License-Identifier: MIT
// examples/lab/methods/steps.hpp: training steps that some methods have of their own.
#ifndef LRQAT_LAB_METHODS_STEPS_HPP
#define LRQAT_LAB_METHODS_STEPS_HPP

#include "method.hpp"

namespace lrqat::lab {

/// Task and flatness together, with scales that freeze.
TrainingStep gaqat_step(const Lesson& lesson, TrainPlan& plan);

/// The teacher intervenes in the first half of the steps.
TrainingStep teacher_intervention_step(const Lesson& lesson, TrainPlan& plan);

/// Beside the text and the teacher, the entropy of queries and keys and the maps of attention.
TrainingStep edge_qat_step(const Lesson& lesson, TrainPlan& plan);

}  // namespace lrqat::lab

#endif  // LRQAT_LAB_METHODS_STEPS_HPP
