// SPDX-License-Identifier: MIT
// estimator/lsq.hpp: the estimator of the LSQ paper.
#ifndef LRQAT_ESTIMATOR_LSQ_HPP
#define LRQAT_ESTIMATOR_LSQ_HPP

#include <lrqat/concept/estimator.hpp>
#include <lrqat/core/config.hpp>

#include <cmath>

namespace lrqat {

/// Learned step size quantization (Esser et al. 2020, eqs. 3-5): the gradient passes strictly
/// inside the range, and that of a scale is multiplied by 1 / sqrt(N p), N weights sharing it.
/// LR-QAT's own LSQ baseline uses StraightThrough instead: mask on the rounded value, no factor.
struct Lsq {
  using policy_kind = kind::estimator;
  template <class V>
  LRQAT_INLINE static V pass(V u, V /*rounded*/, V /*level*/, V low, V high) {
    // Comparisons joined without a branch: gcc makes vectors of it on every instruction set.
    return static_cast<V>(static_cast<int>(!(u <= low)) & static_cast<int>(!(u >= high)));
  }
  static float scale_factor(std::size_t group, float high) {
    return 1.0f / std::sqrt(static_cast<float>(group) * high);
  }
};

static_assert(Estimator<Lsq>);

}  // namespace lrqat

#endif  // LRQAT_ESTIMATOR_LSQ_HPP
