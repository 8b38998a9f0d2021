// SPDX-License-Identifier: MIT
// optim/clip.hpp: the global norm of all gradients, and clipping to it.
#ifndef LRQAT_OPTIM_CLIP_HPP
#define LRQAT_OPTIM_CLIP_HPP

#include <lrqat/core/expects.hpp>
#include <lrqat/core/parameter.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <span>

namespace lrqat {

namespace detail {

/// Sum of squares in double. The eight partial sums have fixed members, so the result depends on
/// the values alone; the square of a float is exact in double.
template <class T>
double sum_of_squares(std::span<const T> values) {
  std::array<double, 8> partial{};
  const std::size_t whole = values.size() / partial.size() * partial.size();
  for (std::size_t i = 0; i < whole; i += partial.size())
    for (std::size_t lane = 0; lane < partial.size(); ++lane) {
      const double value = static_cast<double>(values[i + lane]);
      partial[lane] += value * value;
    }
  for (std::size_t i = whole; i < values.size(); ++i) {
    const double value = static_cast<double>(values[i]);
    partial[i - whole] += value * value;
  }
  return ((partial[0] + partial[1]) + (partial[2] + partial[3])) +
         ((partial[4] + partial[5]) + (partial[6] + partial[7]));
}

}  // namespace detail

/// The L2 norm of all gradients together, summed in double in the order of `parameters`.
/// A NaN or an infinity among them is an error that names the parameter and the element.
template <class T>
double gradient_norm(const Parameters<T>& parameters) {
  double total = 0;
  for (const Parameter<T>& parameter : parameters) {
    const double squares = detail::sum_of_squares(std::span<const T>(parameter.gradient));
    if (!std::isfinite(squares)) {
      std::size_t i = 0;
      while (i + 1 < parameter.gradient.size() && std::isfinite(parameter.gradient[i])) ++i;
      fail("the gradient of '", parameter.name, "' is not finite: element ", i, " of ",
           parameter.gradient.size(), " is ", parameter.gradient[i]);
    }
    total += squares;
  }
  return std::sqrt(total);
}

/// Scales all gradients by max_norm / (norm + 1e-6) where that is below 1 (the rule of
/// torch.nn.utils.clip_grad_norm_), and returns the norm that they had before.
/// max_norm = infinity clips nothing but still checks and measures.
///
/// @pre  max_norm > 0
template <class T>
double clip_gradients(const Parameters<T>& parameters, double max_norm) {
  expects(max_norm > 0, "clip_gradients: the largest norm allowed is ", max_norm,
          "; it must be positive");
  const double norm = gradient_norm(parameters);
  const double factor = max_norm / (norm + 1e-6);
  if (factor < 1) {
    const T scale = static_cast<T>(factor);
    for (const Parameter<T>& parameter : parameters)
      for (T& gradient : parameter.gradient) gradient *= scale;
  }
  return norm;
}

}  // namespace lrqat

#endif  // LRQAT_OPTIM_CLIP_HPP
