// SPDX-License-Identifier: MIT
// optim/rounding_schedule.hpp: weight and exponent of the penalty that makes soft weights integers.
#ifndef LRQAT_OPTIM_ROUNDING_SCHEDULE_HPP
#define LRQAT_OPTIM_ROUNDING_SCHEDULE_HPP

#include <lrqat/core/expects.hpp>

#include <cstdint>

namespace lrqat {

/// What add_rounding_penalty is given at a step, as in BRECQ's code (LinearTempDecay): no penalty
/// in the first fifth of the steps, then weight 0.01 while the exponent falls in a straight line
/// from 20, which touches only fractions next to an integer's, to 2, which reaches all.
class RoundingSchedule {
 public:
  struct Settings {
    double warmup = 0.2;  // of all steps
    double first_exponent = 20, last_exponent = 2;
    double weight = 0.01;
  };

  /// @pre  total >= 1, 0 <= warmup < 1
  explicit RoundingSchedule(std::uint64_t total) : RoundingSchedule(total, Settings{}) {}
  RoundingSchedule(std::uint64_t total, const Settings& settings)
      : total_(static_cast<double>(total)), settings_(settings) {
    expects(total >= 1, "RoundingSchedule: 0 steps in all; at least 1 is needed");
    expects(settings.warmup >= 0 && settings.warmup < 1, "RoundingSchedule: a share of ",
            settings.warmup, " of the steps is no warm-up; it lies in 0 .. 1, 1 excluded");
  }

  /// Steps count from 0.
  double weight(std::uint64_t step) const { return before(step) ? 0.0 : settings_.weight; }
  double exponent(std::uint64_t step) const {
    if (before(step)) return settings_.first_exponent;
    const double start = settings_.warmup * total_, now = static_cast<double>(step);
    const double left = now < total_ ? (total_ - now) / (total_ - start) : 0.0;
    return settings_.last_exponent + (settings_.first_exponent - settings_.last_exponent) * left;
  }

 private:
  bool before(std::uint64_t step) const {
    return static_cast<double>(step) < settings_.warmup * total_;
  }

  double total_;
  Settings settings_;
};

}  // namespace lrqat

#endif  // LRQAT_OPTIM_ROUNDING_SCHEDULE_HPP
