// SPDX-License-Identifier: MIT
// placement/parallel.hpp: the adapter is a branch beside the quantized weight.
#ifndef LRQAT_PLACEMENT_PARALLEL_HPP
#define LRQAT_PLACEMENT_PARALLEL_HPP

#include <lrqat/concept/placement.hpp>
#include <lrqat/placement/scale_coupling.hpp>

namespace lrqat {

/// W_hat = s clip(round(W0 / s0)) + delta, delta in weight units: LoRA on a quantized base (Hu et
/// al. 2021; QLoRA, Dettmers et al. 2023, on a uniform grid). The branch stays at inference: such a
/// layer has no merge(), because its weight is no longer on the grid.
struct Parallel {
  using policy_kind = kind::placement;
  using coupling = Decoupled;
  static constexpr bool needs_reals = false, adds_after_rounding = true;

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
  LRQAT_INLINE static V z_gradient(V weight_gradient, V /*pass*/, V /*scale*/) {
    return weight_gradient;
  }
};

static_assert(OffsetPlacement<Parallel>);

}  // namespace lrqat

#endif  // LRQAT_PLACEMENT_PARALLEL_HPP
