// SPDX-License-Identifier: MIT
// placement/bounded_rounding.hpp: the adapter moves a weight between its two neighbouring integers.
#ifndef LRQAT_PLACEMENT_BOUNDED_ROUNDING_HPP
#define LRQAT_PLACEMENT_BOUNDED_ROUNDING_HPP

#include <lrqat/concept/placement.hpp>
#include <lrqat/core/numeric.hpp>  // round_down, select, clamp, fused_multiply_add
#include <lrqat/placement/scale_coupling.hpp>

namespace lrqat {

/// u = n + h(V0 + delta) with n = floor(phi), h(V0) = phi - n and the rectified sigmoid of AdaRound
/// (Nagel et al., arXiv 2004.10568, eq. 23; zeta = 1.1, gamma = -0.1):
///
///   h(V) = clip(1.2 sigmoid(V) - 0.1, 0, 1)
///
/// So delta, of whatever adapter, can only choose between the integers next to the base, and at
/// delta = 0 u is the base to the bit. On an Unrounded grid with FullRankDelta this is AdaRound; on
/// a grid that rounds it is LR-QAT with a delta that cannot leave the cell. A weight at either end
/// of its cell, as one whose base is an integer, gets no gradient.
///
/// V0 is not stored: h(V) = 1/2 + 0.6 tanh(V / 2), and the tangent of a sum follows from those of
/// its parts: h moves by d (0.36 - t^2) / (0.6 + t d), t = h(V0) - 1/2, d = tanh(delta / 2). The same
/// bits on every instruction set.
struct BoundedRounding {
  using policy_kind = kind::placement;
  using coupling = Decoupled;
  static constexpr bool needs_reals = false, needs_fractions = true;

  template <class V>
  LRQAT_INLINE static V base(V weight, V first_scale) {
    return weight / first_scale;
  }
  template <class V>
  LRQAT_INLINE static V join(V phi, V delta) {
    const V n = round_down(phi), t = (phi - n) - V(0.5), d = tanh_of_half(delta);
    const V move = d * fused_multiply_add(-t, t, V(half_width * half_width)) /
                   fused_multiply_add(t, d, V(half_width));
    const V next = n + V(1), u = phi + move, raised = select(u < n, n, u);
    return select(raised > next, next, raised);
  }
  /// dh/dV where h is strictly between 0 and 1: (h - gamma) (zeta - h) / (zeta - gamma). It needs
  /// no more than u, because h is u's fraction there.
  template <class V>
  LRQAT_INLINE static V join_slope(V u) {
    const V h = u - round_down(u);
    return select(h <= V(0), V(0), (h + V(0.1)) * (V(1.1) - h) * V(0.5 / half_width));
  }
  template <class V>
  LRQAT_INLINE static V to_grid(V z, V /*scale*/) {
    return z;
  }
  template <class V>
  LRQAT_INLINE static V z_gradient(V weight_gradient, V pass, V scale) {
    return weight_gradient * pass * scale;
  }

 private:
  static constexpr double half_width = 0.6;  // (zeta - gamma) / 2

  /// tanh(x / 2) within 1e-7, by the Pade approximant of degrees 7 and 6. Beyond |x| = 4.8, which
  /// is more than 2 ln 11 and takes h from one end to the other, x counts as 4.8. NaN stays NaN.
  template <class V>
  LRQAT_INLINE static V tanh_of_half(V x) {
    const V y = V(0.5) * clamp(x, V(-4.8), V(4.8)), square = y * y;
    V p = V(1.0 / 135135), q = V(28.0 / 135135);
    p = fused_multiply_add(p, square, V(378.0 / 135135));
    q = fused_multiply_add(q, square, V(3150.0 / 135135));
    p = fused_multiply_add(p, square, V(17325.0 / 135135));
    q = fused_multiply_add(q, square, V(62370.0 / 135135));
    p = fused_multiply_add(p, square, V(1));
    q = fused_multiply_add(q, square, V(1));
    return y * p / q;
  }
};

static_assert(Placement<BoundedRounding> && joins_delta<BoundedRounding>);

}  // namespace lrqat

#endif  // LRQAT_PLACEMENT_BOUNDED_ROUNDING_HPP
