// SPDX-License-Identifier: MIT
// optim/gradient_disorder.hpp: how often gradients turn back from one step to the next.
#ifndef LRQAT_OPTIM_GRADIENT_DISORDER_HPP
#define LRQAT_OPTIM_GRADIENT_DISORDER_HPP

#include <lrqat/core/aligned.hpp>
#include <lrqat/core/expects.hpp>

#include <algorithm>
#include <cstddef>
#include <span>

namespace lrqat {

/// For each of some numbers, the rate at which the direction of its gradient flips within a window
/// of steps: the "gradient disorder" of GAQAT (arXiv 2412.05551), whose exact formula we have not
/// seen. A gradient that is 0 or NaN has no direction and is passed over.
class GradientDisorder {
 public:
  explicit GradientDisorder(std::size_t size) : numbers_(3 * size) {}

  std::size_t size() const { return numbers_.size() / 3; }

  /// The next step's gradients. @param gradients  (size())
  void observe(std::span<const float> gradients) {
    expects(gradients.size() == size(), "GradientDisorder: ", gradients.size(), " gradients of ",
            size(), " numbers");
    for (std::size_t i = 0; i < size(); ++i) {
      const float sign = gradients[i] > 0 ? 1.0f : gradients[i] < 0 ? -1.0f : 0.0f;
      if (sign == 0) continue;
      if (sign == -last(i)) ++turns(i);
      last(i) = sign;
      ++directions(i);
    }
  }

  /// Turns for each pair of neighbouring directions, 0 ... 1; gradients by chance have 0.5. Of
  /// fewer than two directions nothing is known, which is 1: not in order.
  double of(std::size_t i) const {
    const double pairs = static_cast<double>(numbers_[size() + i]) - 1;
    return pairs < 1 ? 1.0 : static_cast<double>(numbers_[2 * size() + i]) / pairs;
  }

  /// Starts a new window.
  void forget() { std::fill(numbers_.begin(), numbers_.end(), 0.0f); }

  /// All that is remembered, for saving and restoring; whole numbers, exact up to 2^24 steps.
  std::span<float> numbers() { return numbers_; }

 private:
  float& last(std::size_t i) { return numbers_[i]; }
  float& directions(std::size_t i) { return numbers_[size() + i]; }
  float& turns(std::size_t i) { return numbers_[2 * size() + i]; }

  AlignedVector<float> numbers_;  // (3, size): last direction, number of directions, turns
};

}  // namespace lrqat

#endif  // LRQAT_OPTIM_GRADIENT_DISORDER_HPP
