// SPDX-License-Identifier: MIT
// placement/weight_domain.hpp: the adapter is added to the weight, then divided by the live scale.
#ifndef LRQAT_PLACEMENT_WEIGHT_DOMAIN_HPP
#define LRQAT_PLACEMENT_WEIGHT_DOMAIN_HPP

#include <lrqat/concept/placement.hpp>
#include <lrqat/placement/scale_coupling.hpp>

namespace lrqat {

/// W_hat = s clip(round((W0 + delta) / s)): LSQ with FullRank, L4Q with LowRank. On a grid with an
/// offset beta, W_hat = s clip(round((W0 + delta - beta) / s)) + beta (LSQ+, L4Q).
struct WeightDomain {
  using policy_kind = kind::placement;
  using coupling = Coupled;
  static constexpr bool needs_reals = true;

  template <class V>
  LRQAT_INLINE static V base(V weight, V /*first_scale*/) {
    return weight;
  }
  template <class V>
  LRQAT_INLINE static V base(V weight, V /*first_scale*/, V /*first_offset*/) {
    return weight;
  }
  template <class V>
  LRQAT_INLINE static V to_grid(V z, V scale) {
    return z / scale;
  }
  template <class V>
  LRQAT_INLINE static V to_grid(V z, V scale, V offset) {
    return (z - offset) / scale;
  }
  template <class V>
  LRQAT_INLINE static V z_gradient(V weight_gradient, V pass, V /*scale*/) {
    return weight_gradient * pass;
  }
};

static_assert(OffsetPlacement<WeightDomain>);

}  // namespace lrqat

#endif  // LRQAT_PLACEMENT_WEIGHT_DOMAIN_HPP
