// SPDX-License-Identifier: MIT
// placement/inside_rounding.hpp: the adapter works in grid units, the inner scale is frozen.
#ifndef LRQAT_PLACEMENT_INSIDE_ROUNDING_HPP
#define LRQAT_PLACEMENT_INSIDE_ROUNDING_HPP

#include <lrqat/concept/placement.hpp>
#include <lrqat/placement/scale_coupling.hpp>

namespace lrqat {

/// W_hat = s clip(round(phi(W0/s0) + delta)) (LR-QAT, arXiv 2406.06385, eq. 8): the base is
/// divided once by the first scale s0; the live scale only multiplies. On a grid with an offset the
/// first one is subtracted once, the live one is only added.
struct InsideRounding {
  using policy_kind = kind::placement;
  using coupling = Decoupled;
  static constexpr bool needs_reals = false;

  template <class V>
  LRQAT_INLINE static V base(V weight, V first_scale) {
    return weight / first_scale;
  }
  template <class V>
  LRQAT_INLINE static V base(V weight, V first_scale, V first_offset) {
    return (weight - first_offset) / first_scale;
  }
  template <class V>
  LRQAT_INLINE static V to_grid(V z, V /*scale*/) {
    return z;
  }
  template <class V>
  LRQAT_INLINE static V to_grid(V z, V /*scale*/, V /*offset*/) {
    return z;
  }
  template <class V>
  LRQAT_INLINE static V z_gradient(V weight_gradient, V pass, V scale) {
    return weight_gradient * pass * scale;
  }
};

static_assert(OffsetPlacement<InsideRounding>);

}  // namespace lrqat

#endif  // LRQAT_PLACEMENT_INSIDE_ROUNDING_HPP
