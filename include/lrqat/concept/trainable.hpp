// SPDX-License-Identifier: MIT
// concept/trainable.hpp: which parameters learn.
#ifndef LRQAT_CONCEPT_TRAINABLE_HPP
#define LRQAT_CONCEPT_TRAINABLE_HPP

#include <lrqat/core/policy.hpp>

namespace lrqat {

// clang-format off
/// adapter, scale, bias   which of them learn
/// measures_scale         optional: true where scale and zero point are measured again by the layer's
///                        initializer after each update, in place of learning
template <class T>
concept Trainable = PolicyOf<T, kind::trainable> && requires {
  bool{T::adapter}; bool{T::scale}; bool{T::bias};
};
// clang-format on

template <class T>
inline constexpr bool measures_scale = requires { requires T::measures_scale; };

}  // namespace lrqat

#endif  // LRQAT_CONCEPT_TRAINABLE_HPP
