// SPDX-License-Identifier: MIT
// examples/lab/pace.hpp: how near a training run came to what the machine can do.
#ifndef LRQAT_LAB_PACE_HPP
#define LRQAT_LAB_PACE_HPP

#include "model.hpp"

#include <lrqat/io/json_line.hpp>  // JsonObject

#include <string>

namespace lrqat::lab {

struct Pace {
  double peak_flops = 0;  // a second: float32 multiply-adds in registers, measured on all threads
  /// Useful work of the linear layers, as a part of that peak: 6 operations for each weight and
  /// token (y, dL/dx and dL/dW, a multiplication and an addition each).
  double fraction_of_peak = 0;
  /// The same with the products counted that Recompute::per_block does a second time.
  double fraction_with_recompute = 0;
  int threads = 0;
};

/// Measures the peak, in some 50 ms: call it when the training is over.
Pace pace_of(const LlamaConfig& config, Recompute recompute, double tokens_per_second);

/// "fraction_of_peak", "fraction_with_recompute", "peak_flops".
void add_pace(const Pace& pace, JsonObject& result);

/// A line for a person.
std::string pace_text(const Pace& pace);

}  // namespace lrqat::lab

#endif  // LRQAT_LAB_PACE_HPP
