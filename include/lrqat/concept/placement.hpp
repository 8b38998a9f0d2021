// SPDX-License-Identifier: MIT
// concept/placement.hpp: where the adapter enters, and with it what the base is divided by.
#ifndef LRQAT_CONCEPT_PLACEMENT_HPP
#define LRQAT_CONCEPT_PLACEMENT_HPP

#include <lrqat/concept/grid.hpp>         // has_offset
#include <lrqat/concept/initializer.hpp>  // QParams
#include <lrqat/core/config.hpp>
#include <lrqat/core/policy.hpp>

namespace lrqat {

// clang-format off
/// base(w, s0)              what the storage keeps of a weight
/// to_grid(z, s)            z = base + delta, brought into grid units
/// z_gradient(g, pass, s)   dL/dz from g = dL/dW_hat and the estimator's factor
/// coupling                 how the live scale acts: Coupled or Decoupled (scale_coupling)
/// live_base(base, s)       optional: what the base is at the live scale, before delta is added
/// join(base, delta)        optional: z where it is not base + delta; with it comes
/// join_slope(z)            dz / d delta
/// needs_fractions          optional: true where it matters between which integers the base lies
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

/// One that can also lie on a grid with an offset beta (has_offset): W_hat = s level + beta.
///
/// base(w, s0, beta0)       what the storage keeps of a weight
/// to_grid(z, s, beta)      base + delta, brought into grid units
template <class P>
concept OffsetPlacement = Placement<P> && requires(float x) {
  { P::base(x, x, x) } -> std::same_as<float>;
  { P::to_grid(x, x, x) } -> std::same_as<float>;
};
// clang-format on

/// base() and to_grid() with what they need of a group's parameters on grid G.
template <class P, class G>
LRQAT_INLINE float placed_base(float weight, const QParams& group) {
  if constexpr (has_offset<G>)
    return P::base(weight, group.scale, group.offset);
  else
    return P::base(weight, has_threshold<G> ? group.step : group.scale);
}
template <class P, class G>
LRQAT_INLINE float placed_to_grid(float z, const QParams& group) {
  if constexpr (has_offset<G>)
    return P::to_grid(z, group.scale, group.offset);
  else
    return P::to_grid(z, has_threshold<G> ? group.step : group.scale);
}

template <class P>
inline constexpr bool ties_base = requires(float x) { P::live_base(x, x); };
template <class P>
inline constexpr bool joins_delta = requires(float x) {
  { P::join(x, x) } -> std::same_as<float>;
  { P::join_slope(x) } -> std::same_as<float>;
};

template <class P>
inline constexpr bool needs_fractions = requires { requires P::needs_fractions; };

template <class P>
inline constexpr bool adds_after_rounding = requires { requires P::adds_after_rounding; };

}  // namespace lrqat

#endif  // LRQAT_CONCEPT_PLACEMENT_HPP
