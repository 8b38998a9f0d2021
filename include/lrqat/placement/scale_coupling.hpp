// SPDX-License-Identifier: MIT
// placement/scale_coupling.hpp: how live scale and offset act on W_hat, and so their gradients.
#ifndef LRQAT_PLACEMENT_SCALE_COUPLING_HPP
#define LRQAT_PLACEMENT_SCALE_COUPLING_HPP

#include <lrqat/core/config.hpp>

namespace lrqat {

/// u depends neither on the live scale nor on the live offset: dW_hat/ds = level, dW_hat/dbeta = 1,
/// the true derivatives (LR-QAT, PEQA).
struct Decoupled {
  template <class V>
  LRQAT_INLINE static V slope(V /*u*/, V level, V /*pass*/) {
    return level;
  }
  template <class V>
  LRQAT_INLINE static V offset_slope(V /*pass*/) {
    return V(1);
  }
};

/// u = (z - beta) / s, both live: dW_hat/ds = level - u where the estimator lets the gradient
/// through, level elsewhere (LSQ, Esser et al. 2020, eq. 3); dW_hat/dbeta = 0 and 1 there (LSQ+,
/// Bhalgat et al. 2020).
struct Coupled {
  template <class V>
  LRQAT_INLINE static V slope(V u, V level, V pass) {
    return level - pass * u;
  }
  template <class V>
  LRQAT_INLINE static V offset_slope(V pass) {
    return V(1) - pass;
  }
};

/// The coupling follows from the placement. To study another rule, specialise it for your own.
template <class Placement>
struct scale_coupling {
  using type = typename Placement::coupling;
};

}  // namespace lrqat

#endif  // LRQAT_PLACEMENT_SCALE_COUPLING_HPP
