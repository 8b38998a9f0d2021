// SPDX-License-Identifier: MIT
// transform/identity.hpp: the inputs keep their basis.
#ifndef LRQAT_TRANSFORM_IDENTITY_HPP
#define LRQAT_TRANSFORM_IDENTITY_HPP

#include <lrqat/concept/transform.hpp>

namespace lrqat {

/// The default; it leaves no trace in a layer's type.
struct Identity {
  using policy_kind = kind::transform;
  static constexpr bool changes_basis = false;
  static void apply(std::span<float>) {}
  static void apply_adjoint(std::span<float>) {}
  static void apply_to_weight(std::span<float>) {}
};

static_assert(Transform<Identity>);

}  // namespace lrqat

#endif  // LRQAT_TRANSFORM_IDENTITY_HPP
