// SPDX-License-Identifier: MIT
// concept/backend.hpp: who walks the tiles of a weight.
#ifndef LRQAT_CONCEPT_BACKEND_HPP
#define LRQAT_CONCEPT_BACKEND_HPP

#include <lrqat/core/policy.hpp>

namespace lrqat {

/// A backend is stateless and has two static function templates:
///
/// forward(weight, x, y)                    y = x W_hat^T for anything with shape() and
///                                          weight(tile, w)
/// backward(parameterization, x, gy, gx)    overwrites gx = gy W_hat and adds the gradients of
///                                          the trained parameters
///
/// A backend that knows more than one arithmetic (concept/compute.hpp) names itself with the policy
/// C bound as `template <Arithmetic C> using in`; one without it computes in float32.
template <class B>
concept Backend = PolicyOf<B, kind::backend>;

}  // namespace lrqat

#endif  // LRQAT_CONCEPT_BACKEND_HPP
