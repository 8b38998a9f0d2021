// SPDX-License-Identifier: MIT
// estimator/trust.hpp: the gradient passes where rounding has moved the value only a little.
#ifndef LRQAT_ESTIMATOR_TRUST_HPP
#define LRQAT_ESTIMATOR_TRUST_HPP

#include <lrqat/concept/estimator.hpp>
#include <lrqat/core/config.hpp>

namespace lrqat {

/// QuEST's trust estimator (Panferov et al., arXiv 2502.05003): 1 where |level - u| <= T, T =
/// Numerator / Denominator of a step. With half a step that is everywhere inside the range and half
/// a step beyond its last levels; of two levels (1 bit) the reach is 1.3 times as far, as there.
///
/// On Int<b> half a step differs from StraightThrough only at ties: what is new is the choice of T.
template <int Numerator = 1, int Denominator = 2>
struct Trust {
  static_assert(Numerator > 0 && Denominator > 0,
                "Trust<Numerator, Denominator>: the reach is positive.");
  using policy_kind = kind::estimator;
  static constexpr bool needs_even_levels = true;  // T is a share of the step between them

  template <class V>
  LRQAT_INLINE static V pass(V u, V /*rounded*/, V level, V low, V high) {
    constexpr V reach = V(Numerator) / V(Denominator);
    const V most = high - low > V(1) ? reach : V(1.3) * reach;
    const V error = level - u;
    // Comparisons joined without a branch: gcc makes vectors of it on every instruction set.
    return static_cast<V>(static_cast<int>(error <= most) & static_cast<int>(error >= -most));
  }
  static float scale_factor(std::size_t, float) { return 1.0f; }
};

static_assert(Estimator<Trust<>>);

}  // namespace lrqat

#endif  // LRQAT_ESTIMATOR_TRUST_HPP
