// SPDX-License-Identifier: MIT
// examples/lab/methods/steps.hpp: training steps that some methods have of their own.
#ifndef LRQAT_LAB_METHODS_STEPS_HPP
#define LRQAT_LAB_METHODS_STEPS_HPP

#include "method.hpp"

namespace lrqat::lab {

/// Task and flatness together, with scales that freeze.
TrainingStep gaqat_step(Model& model, Model& teacher, TrainPlan& plan);

}  // namespace lrqat::lab

#endif  // LRQAT_LAB_METHODS_STEPS_HPP
