// SPDX-License-Identifier: MIT
// benchmarks/timing.hpp: the time of a call on a machine that other programs share.
#ifndef LRQAT_BENCHMARKS_TIMING_HPP
#define LRQAT_BENCHMARKS_TIMING_HPP

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <string_view>

namespace lrqat::benchmarks {

/// Seconds so far: on one thread the processor's time, from which other programs on the machine
/// take nothing, on several the clock on the wall.
inline double seconds_now(int threads) {
  if (threads == 1) return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Seconds of the fastest call of f: after one that does not count, at least three, and `least`
/// seconds of them.
template <class F>
double best_of_several(int threads, F f, double least = 0.25) {
  f();
  double best = 1e30, spent = 0;
  for (int runs = 0; runs < 3 || spent < least; ++runs) {
    const double start = seconds_now(threads);
    f();
    const double seconds = seconds_now(threads) - start;
    spent += seconds;
    best = std::min(best, seconds);
  }
  return best;
}

/// Whether LRQAT_BENCHMARKS=all asks for the rows that a quick look does without.
inline bool all_wanted() {
  const char* const set = std::getenv("LRQAT_BENCHMARKS");
  return set != nullptr && std::string_view(set) == "all";
}

}  // namespace lrqat::benchmarks

#endif  // LRQAT_BENCHMARKS_TIMING_HPP
