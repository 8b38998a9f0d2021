// SPDX-License-Identifier: MIT
// concept/placement.hpp: where the adapter enters, and with it what the base is divided by.
#ifndef LRQAT_CONCEPT_PLACEMENT_HPP
#define LRQAT_CONCEPT_PLACEMENT_HPP

#include <lrqat/core/policy.hpp>

namespace lrqat {

// clang-format off
/// base(w, s0)              what the storage keeps of a weight
/// to_grid(z, s)            z = base + delta, brought into grid units
/// z_gradient(g, pass, s)   dL/dz from g = dL/dW_hat and the estimator's factor
/// coupling                 how the live scale acts: Coupled or Decoupled (scale_coupling)
/// adds_after_rounding      optional: true where z is the base alone and delta is added to the
///                          dequantized weight, beside the rounding; z_gradient is then dL/ddelta
template <class P>
concept Placement = PolicyOf<P, kind::placement> && requires(float x) {
  typename P::coupling;
  bool{P::needs_reals};
  { P::base(x, x) } -> std::same_as<float>;
  { P::to_grid(x, x) } -> std::same_as<float>;
  { P::z_gradient(x, x, x) } -> std::same_as<float>;
};
// clang-format on

template <class P>
inline constexpr bool adds_after_rounding = requires { requires P::adds_after_rounding; };

}  // namespace lrqat

#endif  // LRQAT_CONCEPT_PLACEMENT_HPP
