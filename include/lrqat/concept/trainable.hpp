// SPDX-License-Identifier: MIT
// concept/trainable.hpp: which parameters learn.
#ifndef LRQAT_CONCEPT_TRAINABLE_HPP
#define LRQAT_CONCEPT_TRAINABLE_HPP

#include <lrqat/core/policy.hpp>

namespace lrqat {

// clang-format off
/// adapter, scale, bias   whether these learn
/// zero_point, offset     optional, false where missing: on grids that have one
/// measures_scale         optional: true where scale and zero point are measured again by the layer's
///                        initializer after each update, in place of learning
/// clips                  optional: true where scale and zero point follow from two parts of the range
///                        of a group's weights, and these learn in their place
template <class T>
concept Trainable = PolicyOf<T, kind::trainable> && requires {
  bool{T::adapter}; bool{T::scale}; bool{T::bias};
};
// clang-format on

template <class T>
inline constexpr bool measures_scale = requires { requires T::measures_scale; };
template <class T>
inline constexpr bool trains_zero_point = requires { requires T::zero_point; };
template <class T>
inline constexpr bool trains_offset = requires { requires T::offset; };
template <class T>
inline constexpr bool learns_clips = requires { requires T::clips; };

}  // namespace lrqat

#endif  // LRQAT_CONCEPT_TRAINABLE_HPP
