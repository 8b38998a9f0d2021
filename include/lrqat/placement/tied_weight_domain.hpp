// SPDX-License-Identifier: MIT
// placement/tied_weight_domain.hpp: the weight domain on integers that move with the live scale.
#ifndef LRQAT_PLACEMENT_TIED_WEIGHT_DOMAIN_HPP
#define LRQAT_PLACEMENT_TIED_WEIGHT_DOMAIN_HPP

#include <lrqat/concept/placement.hpp>
#include <lrqat/placement/scale_coupling.hpp>

namespace lrqat {

/// W_hat = s clip(round((s base + delta) / s)), base = phi(W0 / s0), delta in weight units
/// (EfficientDM, He et al., arXiv 2310.03270): the base is dequantized with the live scale, so that
/// it moves along. As there, the dequantizer passes no gradient to s: dW_hat/ds is that of the
/// weight domain, not the true derivative.
struct TiedWeightDomain {
  using policy_kind = kind::placement;
  using coupling = Coupled;
  static constexpr bool needs_reals = false;

  template <class V>
  LRQAT_INLINE static V base(V weight, V first_scale) {
    return weight / first_scale;
  }
  template <class V>
  LRQAT_INLINE static V live_base(V base, V scale) {
    return base * scale;
  }
  template <class V>
  LRQAT_INLINE static V to_grid(V z, V scale) {
    return z / scale;
  }
  template <class V>
  LRQAT_INLINE static V z_gradient(V weight_gradient, V pass, V /*scale*/) {
    return weight_gradient * pass;
  }
};

static_assert(Placement<TiedWeightDomain> && !OffsetPlacement<TiedWeightDomain>);

}  // namespace lrqat

#endif  // LRQAT_PLACEMENT_TIED_WEIGHT_DOMAIN_HPP
