// SPDX-License-Identifier: MIT
// examples/lab/pace.cpp: operations of a training step, against the measured peak.
#include "pace.hpp"

#include "benchmarks/ceilings.hpp"

#include <lrqat/backend/parallel_for.hpp>
#include <lrqat/kernel/isa.hpp>

#include <algorithm>
#include <cstdio>

namespace lrqat::lab {

Pace pace_of(const LlamaConfig& config, Recompute recompute, double tokens_per_second) {
  const double weights = static_cast<double>(linear_weights(config));
  const double blocks = static_cast<double>(config.layers);
  double again = 0;
  if (recompute == Recompute::per_block) {
    // All blocks but the last, and of a block all products but the last.
    const double down = static_cast<double>(linear_shape(config, LinearKind::down).size());
    again = 2 * (weights / blocks - down) * (blocks - 1);
  }
  Pace pace;
  pace.threads = thread_count();
  pace.peak_flops = benchmarks::peak_flops(kernel::active_isa(), pace.threads);
  pace.fraction_of_peak = 6 * weights * tokens_per_second / pace.peak_flops;
  pace.fraction_with_recompute = (6 * weights + again) * tokens_per_second / pace.peak_flops;
  return pace;
}

void add_pace(const Pace& pace, JsonObject& result) {
  result["fraction_of_peak"] = pace.fraction_of_peak;
  result["fraction_with_recompute"] = pace.fraction_with_recompute;
  result["peak_flops"] = pace.peak_flops;
}

std::string pace_text(const Pace& pace) {
  char text[160];
  const int size = std::snprintf(
      text, sizeof text, "of the ceiling   %.1f %% of %.0f Gflop/s (float32 peak of %d threads)",
      100 * pace.fraction_of_peak, pace.peak_flops / 1e9, pace.threads);
  std::string line(text, static_cast<std::size_t>(std::max(size, 0)));
  if (pace.fraction_with_recompute > pace.fraction_of_peak) {
    std::snprintf(text, sizeof text, "; %.1f %% with what is computed again",
                  100 * pace.fraction_with_recompute);
    line += text;
  }
  return line;
}

}  // namespace lrqat::lab
