// SPDX-License-Identifier: MIT
// optim/schedule.hpp: the factor that a step's learning rates are multiplied with.
#ifndef LRQAT_OPTIM_SCHEDULE_HPP
#define LRQAT_OPTIM_SCHEDULE_HPP

#include <lrqat/core/expects.hpp>

#include <cstdint>

namespace lrqat {

/// 1 at every step.
struct ConstantSchedule {
  constexpr double operator()(std::uint64_t) const { return 1.0; }
};

/// Up from 0 to 1 over `warmup` steps, then down to 0 at `total`. Step t counts from 0:
/// t / warmup while t < warmup, then (total - t) / (total - warmup), and 0 from `total` on: the
/// convention of the transformers library, in which the very first warm-up step does not move.
class LinearWarmupDecay {
 public:
  /// @pre  warmup <= total, total >= 1
  LinearWarmupDecay(std::uint64_t warmup, std::uint64_t total) : warmup_(warmup), total_(total) {
    expects(total >= 1, "LinearWarmupDecay: 0 steps in all; at least 1 is needed");
    expects(warmup <= total, "LinearWarmupDecay: ", warmup, " steps of warm-up, but only ", total,
            " steps in all");
  }

  double operator()(std::uint64_t step) const {
    if (step < warmup_) return static_cast<double>(step) / static_cast<double>(warmup_);
    if (step >= total_) return 0.0;
    return static_cast<double>(total_ - step) / static_cast<double>(total_ - warmup_);
  }

  std::uint64_t warmup() const { return warmup_; }
  std::uint64_t total() const { return total_; }

 private:
  std::uint64_t warmup_, total_;
};

}  // namespace lrqat

#endif  // LRQAT_OPTIM_SCHEDULE_HPP
