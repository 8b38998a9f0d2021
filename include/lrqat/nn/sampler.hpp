// SPDX-License-Identifier: MIT
// nn/sampler.hpp: the next token from logits.
#ifndef LRQAT_NN_SAMPLER_HPP
#define LRQAT_NN_SAMPLER_HPP

#include <lrqat/core/expects.hpp>
#include <lrqat/core/rng.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace lrqat {

/// The most likely token; the first of equals. Errors: no logits.
template <class T>
std::uint16_t greedy_token(std::span<const T> logits) {
  expects(!logits.empty(), "greedy_token: no logits");
  return static_cast<std::uint16_t>(std::max_element(logits.begin(), logits.end()) -
                                    logits.begin());
}

struct SamplerOptions {
  double temperature = 1;  // 0: greedy
  double top_p = 1;        // nucleus: the likeliest tokens that together have this probability
  std::uint64_t seed = 0;
};

/// Draws tokens; number n of a seed depends on nothing but the logits it is drawn from.
class Sampler {
 public:
  /// Errors: temperature < 0; top_p outside (0, 1].
  explicit Sampler(SamplerOptions options) : options_(options), random_(options.seed, stream) {
    expects(options.temperature >= 0, "Sampler: temperature is ", options.temperature,
            ", it must not be negative");
    expects(options.top_p > 0 && options.top_p <= 1, "Sampler: top_p is ", options.top_p,
            ", it must be in (0, 1]");
  }

  template <class T>
  std::uint16_t next(std::span<const T> logits) {
    if (options_.temperature == 0) return greedy_token(logits);
    expects(!logits.empty(), "Sampler: no logits");
    const double largest = static_cast<double>(*std::max_element(logits.begin(), logits.end()));
    candidates_.clear();
    double sum = 0;
    for (std::size_t i = 0; i < logits.size(); ++i) {
      const double weight =
          std::exp((static_cast<double>(logits[i]) - largest) / options_.temperature);
      candidates_.push_back({weight, static_cast<std::uint16_t>(i)});
      sum += weight;
    }
    if (options_.top_p < 1) sum = keep_nucleus(sum);
    const double chosen = static_cast<double>(random_.uniform(drawn_++)) * sum;
    double passed = 0;
    for (const Candidate& candidate : candidates_) {
      passed += candidate.weight;
      if (chosen < passed) return candidate.token;
    }
    return candidates_.back().token;
  }

 private:
  struct Candidate {
    double weight;
    std::uint16_t token;
  };
  static constexpr std::uint64_t stream = 0x73616D706C65;  // "sample"

  /// Keeps the fewest likeliest candidates that reach top_p; returns the sum of their weights.
  double keep_nucleus(double sum) {
    std::sort(candidates_.begin(), candidates_.end(), [](const Candidate& a, const Candidate& b) {
      return a.weight != b.weight ? a.weight > b.weight : a.token < b.token;
    });
    double kept = 0;
    std::size_t count = 0;
    while (count < candidates_.size() && kept < options_.top_p * sum)
      kept += candidates_[count++].weight;
    candidates_.resize(count);
    return kept;
  }

  SamplerOptions options_;
  CounterRng random_;
  std::uint64_t drawn_ = 0;
  std::vector<Candidate> candidates_;
};

}  // namespace lrqat

#endif  // LRQAT_NN_SAMPLER_HPP
