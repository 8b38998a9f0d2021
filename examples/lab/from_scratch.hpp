// SPDX-License-Identifier: MIT
// examples/lab/from_scratch.hpp: a model that is quantized from its first training step on.
#ifndef LRQAT_LAB_FROM_SCRATCH_HPP
#define LRQAT_LAB_FROM_SCRATCH_HPP

#include "model.hpp"
#include "pretrain.hpp"

#include <atomic>

namespace lrqat::lab {

/// Random weights under the plan's scheme, to be trained together with embedding and norms.
Model model_from_scratch(const PretrainPlan& plan);

/// Trains all of a model_from_scratch(plan). False where `stop`, which may be null, ended it early.
bool train_from_scratch(Model& model, const PretrainPlan& plan, const Stream& text,
                        ProgressBar& progress, const std::atomic<bool>* stop);

}  // namespace lrqat::lab

#endif  // LRQAT_LAB_FROM_SCRATCH_HPP
