// SPDX-License-Identifier: MIT
// placement/scale_coupling.hpp: how the live scale acts on W_hat, and so what its gradient is.
#ifndef LRQAT_PLACEMENT_SCALE_COUPLING_HPP
#define LRQAT_PLACEMENT_SCALE_COUPLING_HPP

#include <lrqat/core/config.hpp>

namespace lrqat {

/// u does not depend on the live scale: dW_hat/ds = level, the true derivative (LR-QAT, PEQA).
struct Decoupled {
  template <class V>
  LRQAT_INLINE static V slope(V /*u*/, V level, V /*pass*/) {
    return level;
  }
};

/// u = z / s with the live scale: dW_hat/ds = level - u where the estimator lets the gradient
/// through, level elsewhere (LSQ, Esser et al. 2020, eq. 3).
struct Coupled {
  template <class V>
  LRQAT_INLINE static V slope(V u, V level, V pass) {
    return level - pass * u;
  }
};

/// The coupling follows from the placement. To study another rule, specialise it for your own.
template <class Placement>
struct scale_coupling {
  using type = typename Placement::coupling;
};

}  // namespace lrqat

#endif  // LRQAT_PLACEMENT_SCALE_COUPLING_HPP
