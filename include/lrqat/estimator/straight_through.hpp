// SPDX-License-Identifier: MIT
// estimator/straight_through.hpp: the gradient passes the rounding as if it were the identity.
#ifndef LRQAT_ESTIMATOR_STRAIGHT_THROUGH_HPP
#define LRQAT_ESTIMATOR_STRAIGHT_THROUGH_HPP

#include <lrqat/concept/estimator.hpp>
#include <lrqat/core/config.hpp>

namespace lrqat {

/// Round first, clip second: 1 where the *rounded* value is inside the range, ends included, as
/// in LR-QAT's code and PyTorch's fake quantization (lr-qat, section 1.5).
struct StraightThrough {
  using policy_kind = kind::estimator;
  template <class V>
  LRQAT_INLINE static V pass(V /*u*/, V rounded, V level, V /*low*/, V /*high*/) {
    return rounded == level ? V(1) : V(0);
  }
  static float scale_factor(std::size_t, float) { return 1.0f; }
};

/// Clip first, round second: 1 where u itself is inside the range, ends included (L4Q, LSQ+).
/// Differs from StraightThrough only within half a step outside the range.
struct StraightThroughClipFirst {
  using policy_kind = kind::estimator;
  template <class V>
  LRQAT_INLINE static V pass(V u, V /*rounded*/, V /*level*/, V low, V high) {
    // Comparisons joined without a branch: gcc makes vectors of it on every instruction set.
    return static_cast<V>(static_cast<int>(!(u < low)) & static_cast<int>(!(u > high)));
  }
  static float scale_factor(std::size_t, float) { return 1.0f; }
};

/// 1 everywhere, also outside the range: for scales that are measured so that next to nothing lies
/// there (LLM-QAT's and TWN's), and QuEST's estimator with T = infinity.
struct StraightThroughUnclipped {
  using policy_kind = kind::estimator;
  template <class V>
  LRQAT_INLINE static V pass(V /*u*/, V /*rounded*/, V /*level*/, V /*low*/, V /*high*/) {
    return V(1);
  }
  static float scale_factor(std::size_t, float) { return 1.0f; }
};

static_assert(Estimator<StraightThrough> && Estimator<StraightThroughClipFirst> &&
              Estimator<StraightThroughUnclipped>);

}  // namespace lrqat

#endif  // LRQAT_ESTIMATOR_STRAIGHT_THROUGH_HPP
