// SPDX-License-Identifier: MIT
// concept/estimator.hpp: what flows back through the rounding.
#ifndef LRQAT_CONCEPT_ESTIMATOR_HPP
#define LRQAT_CONCEPT_ESTIMATOR_HPP

#include <lrqat/core/policy.hpp>

#include <cstddef>

namespace lrqat {

// clang-format off
/// pass(u, rounded, level, low, high)   the factor d level / d u that the backward pass uses;
///                                      low and high are the ends of the weight's grid
/// scale_factor(group, high)            a factor on the gradients of scale, zero point and offset
///                                      that `group` weights share
/// needs_even_levels                    optional: true where the factor is about the step between
///                                      levels, so that the grid must be an EvenGrid
template <class E>
concept Estimator = PolicyOf<E, kind::estimator> && requires(float x, std::size_t group) {
  { E::pass(x, x, x, x, x) } -> std::same_as<float>;
  { E::scale_factor(group, x) } -> std::same_as<float>;
};
// clang-format on

}  // namespace lrqat

#endif  // LRQAT_CONCEPT_ESTIMATOR_HPP
