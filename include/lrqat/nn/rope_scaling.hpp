// SPDX-License-Identifier: MIT
// nn/rope_scaling.hpp: rotary frequencies divided, for texts longer than those of the training.
#ifndef LRQAT_NN_ROPE_SCALING_HPP
#define LRQAT_NN_ROPE_SCALING_HPP

#include <lrqat/core/aligned.hpp>
#include <lrqat/core/expects.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <string_view>
#include <variant>

namespace lrqat {

/// Position interpolation (Chen et al. 2023): all frequencies are divided by `factor`.
struct LinearRopeScaling {
  float factor = 1.0f;  // at least 1
  bool operator==(const LinearRopeScaling&) const = default;
};

/// That of Llama 3.1: a pair that turns less than low_freq_factor times in the original context is
/// divided by `factor`, one that turns more than high_freq_factor times is not, and in between the
/// frequency goes from one to the other in proportion to the turns.
struct Llama3RopeScaling {
  float factor = 8.0f;                                    // at least 1
  float low_freq_factor = 1.0f, high_freq_factor = 4.0f;  // 0 < low < high
  std::size_t original_context = 8192;                    // positions
  bool operator==(const Llama3RopeScaling&) const = default;
};

/// A divisor for each pair: what `rope_freqs.weight` of a GGUF file holds.
struct RopeDivisors {
  AlignedVector<float> values;  // (head_dim / 2), finite and positive
  bool operator==(const RopeDivisors&) const = default;
};

/// None, or one of the three.
using RopeScaling =
    std::variant<std::monostate, LinearRopeScaling, Llama3RopeScaling, RopeDivisors>;

inline bool is_scaled(const RopeScaling& scaling) { return scaling != RopeScaling(); }

/// Errors, which begin with `where`: numbers outside the ranges above.
inline void check_rope_scaling(const RopeScaling& scaling, std::size_t head_dim,
                               std::string_view where) {
  const auto check_factor = [&](float factor) {
    expects(std::isfinite(factor) && factor >= 1.0f, where,
            ": the factor of its rotary scaling is ", factor,
            ", a finite number of at least 1 is needed");
  };
  if (const auto* linear = std::get_if<LinearRopeScaling>(&scaling)) check_factor(linear->factor);
  if (const auto* llama3 = std::get_if<Llama3RopeScaling>(&scaling)) {
    check_factor(llama3->factor);
    const float low = llama3->low_freq_factor, high = llama3->high_freq_factor;
    expects(low > 0.0f && low < high && std::isfinite(high), where,
            ": low_freq_factor of its rotary scaling is ", low, " and high_freq_factor ", high,
            ", needed is 0 < low < high");
    expects(llama3->original_context > 0, where,
            ": its rotary scaling has an original context of 0");
  }
  if (const auto* divisors = std::get_if<RopeDivisors>(&scaling)) {
    const AlignedVector<float>& values = divisors->values;
    expects(values.size() == head_dim / 2, where, ": its rotary scaling has ", values.size(),
            " divisors, a head of ", head_dim, " needs ", head_dim / 2);
    for (std::size_t i = 0; i < values.size(); ++i)
      expects(std::isfinite(values[i]) && values[i] > 0.0f, where, ": divisor ", i,
              " of its rotary scaling is ", values[i], ", a finite positive number is needed");
  }
}

/// theta^(-2i / head_dim): radians that pair i turns from one position to the next, unscaled.
inline double rope_frequency(std::size_t pair, std::size_t head_dim, double theta) {
  return std::pow(theta, -static_cast<double>(2 * pair) / static_cast<double>(head_dim));
}

namespace detail {

/// Hugging Face's _compute_llama3_parameters, as a divisor of the frequency.
inline double llama3_divisor(const Llama3RopeScaling& by, double frequency) {
  const double factor = static_cast<double>(by.factor);
  const double low = static_cast<double>(by.low_freq_factor),
               high = static_cast<double>(by.high_freq_factor);
  const double context = static_cast<double>(by.original_context);
  const double wavelength = 2 * std::numbers::pi / frequency;
  if (wavelength < context / high) return 1;
  if (wavelength > context / low) return factor;
  const double kept = std::clamp((context / wavelength - low) / (high - low), 0.0, 1.0);
  return 1 / ((1 - kept) / factor + kept);
}

}  // namespace detail

/// By what the frequency of each pair is divided, (head_dim / 2), in the precision of GGUF: so a
/// model is the same to the bit whether its file says how it is scaled or holds the divisors.
/// Errors: those of check_rope_scaling.
inline AlignedVector<float> rope_divisors(const RopeScaling& scaling, std::size_t head_dim,
                                          double theta, std::string_view where = "rope_divisors") {
  check_rope_scaling(scaling, head_dim, where);
  if (const auto* divisors = std::get_if<RopeDivisors>(&scaling)) return divisors->values;
  AlignedVector<float> values(head_dim / 2, 1.0f);
  if (const auto* linear = std::get_if<LinearRopeScaling>(&scaling))
    std::fill(values.begin(), values.end(), linear->factor);
  if (const auto* llama3 = std::get_if<Llama3RopeScaling>(&scaling))
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] =
          static_cast<float>(detail::llama3_divisor(*llama3, rope_frequency(i, head_dim, theta)));
  return values;
}

}  // namespace lrqat

#endif  // LRQAT_NN_ROPE_SCALING_HPP
