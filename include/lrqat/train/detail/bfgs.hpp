// SPDX-License-Identifier: MIT
// train/detail/bfgs.hpp: the minimum of a smooth function of a few unknowns.
#ifndef LRQAT_TRAIN_DETAIL_BFGS_HPP
#define LRQAT_TRAIN_DETAIL_BFGS_HPP

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <utility>
#include <vector>

namespace lrqat::detail {

struct Minimum {
  std::vector<double> x{};
  double value = std::numeric_limits<double>::infinity();
};

/// Quasi-Newton descent with the whole inverse Hessian: for ten unknowns it is smaller than the
/// history that L-BFGS keeps in its place. Steps satisfy the weak Wolfe conditions, found by
/// doubling and halving, which a loss with corners, such as Huber's, bears as well (Lewis and
/// Overton 2013). Everything runs in one fixed order on one thread.
template <class Objective>
class Bfgs {
 public:
  /// @param objective  (x, gradient) -> value, writes its gradient; infinite where it has no value
  Bfgs(Objective& objective, std::vector<double> start)
      : objective_(objective), n_(start.size()), inverse_(n_ * n_) {
    here_.x = std::move(start);
    here_.gradient.resize(n_);
    here_.value = objective_(std::span<const double>(here_.x), std::span(here_.gradient));
    forget();
  }

  /// Ends where no component of the gradient is above `tolerance` or no step leads down.
  Minimum operator()(int iterations, double tolerance) {
    for (int i = 0; i < iterations && std::isfinite(here_.value); ++i) {
      if (steepest(here_.gradient) <= tolerance) break;
      if (step()) continue;
      if (is_identity_) break;
      forget();
    }
    return {here_.x, here_.value};
  }

 private:
  struct Point {
    std::vector<double> x{}, gradient{};
    double value = 0;
  };

  static double dot(const std::vector<double>& u, const std::vector<double>& v) {
    double sum = 0;
    for (std::size_t i = 0; i < u.size(); ++i) sum += u[i] * v[i];
    return sum;
  }
  static double steepest(const std::vector<double>& gradient) {
    double most = 0;
    for (const double g : gradient) most = std::max(most, std::abs(g));
    return most;
  }

  void forget() {
    std::fill(inverse_.begin(), inverse_.end(), 0.0);
    for (std::size_t i = 0; i < n_; ++i) inverse_[i * n_ + i] = 1;
    is_identity_ = true;
  }

  std::vector<double> times_inverse(const std::vector<double>& v) const {
    std::vector<double> result(n_);
    for (std::size_t i = 0; i < n_; ++i)
      for (std::size_t j = 0; j < n_; ++j) result[i] += inverse_[i * n_ + j] * v[j];
    return result;
  }

  /// False where no step along the direction leads down.
  bool step() {
    std::vector<double> direction = times_inverse(here_.gradient);
    for (double& d : direction) d = -d;
    const double slope = dot(here_.gradient, direction);
    if (!(slope < 0)) return false;
    constexpr double enough = 1e-4, flatter = 0.9;
    double low = 0, high = std::numeric_limits<double>::infinity();
    double size = is_identity_ ? std::min(1.0, 0.1 / steepest(here_.gradient)) : 1.0;
    Point there{here_.x, here_.gradient, 0};
    Point best = here_;  // the last of the steps that went down enough
    for (int attempt = 0; attempt < 60; ++attempt) {
      for (std::size_t i = 0; i < n_; ++i) there.x[i] = here_.x[i] + size * direction[i];
      there.value = objective_(std::span<const double>(there.x), std::span(there.gradient));
      if (!(there.value <= here_.value + enough * size * slope)) {
        high = size;
      } else {
        best = there;
        if (dot(there.gradient, direction) >= flatter * slope) break;
        low = size;
      }
      size = std::isfinite(high) ? (low + high) / 2 : 2 * low;
    }
    if (!(best.value < here_.value)) return false;
    learn(best);
    here_ = std::move(best);
    return true;
  }

  /// The update of the inverse Hessian (Nocedal and Wright 2006, eq. 6.17); its first scale is that
  /// of eq. 6.20.
  void learn(const Point& next) {
    std::vector<double> s(n_), y(n_);
    for (std::size_t i = 0; i < n_; ++i) {
      s[i] = next.x[i] - here_.x[i];
      y[i] = next.gradient[i] - here_.gradient[i];
    }
    const double curvature = dot(s, y);
    if (!(curvature > 0)) return;
    if (is_identity_)
      for (std::size_t i = 0; i < n_; ++i) inverse_[i * n_ + i] = curvature / dot(y, y);
    is_identity_ = false;
    const std::vector<double> hy = times_inverse(y);
    const double factor = (1 + dot(y, hy) / curvature) / curvature;
    for (std::size_t i = 0; i < n_; ++i)
      for (std::size_t j = 0; j < n_; ++j)
        inverse_[i * n_ + j] += factor * s[i] * s[j] - (hy[i] * s[j] + s[i] * hy[j]) / curvature;
  }

  Objective& objective_;
  std::size_t n_;
  std::vector<double> inverse_;  // (n, n)
  bool is_identity_ = true;
  Point here_;
};

}  // namespace lrqat::detail

#endif  // LRQAT_TRAIN_DETAIL_BFGS_HPP
