// SPDX-License-Identifier: MIT
// train/step_report.hpp: what a training run tells about each of its steps.
#ifndef LRQAT_TRAIN_STEP_REPORT_HPP
#define LRQAT_TRAIN_STEP_REPORT_HPP

#include <cstdint>

namespace lrqat {

struct StepReport {
  std::uint64_t step = 0;        // steps done, this one included: 1, 2, ...
  std::uint64_t steps = 0;       // of the whole run
  double loss = 0;               // mean over the step's tokens, before its update
  double rate_factor = 0;        // the schedule's factor on every learning rate
  double grad_norm = 0;          // before clipping
  double tokens_per_second = 0;  // of this step
  double seconds = 0;            // since the start of the run, interruptions left out
  double seconds_left = 0;       // at the mean pace since this process started
};

}  // namespace lrqat

#endif  // LRQAT_TRAIN_STEP_REPORT_HPP
