// SPDX-License-Identifier: MIT
// concept/trainable.hpp: which parameters learn.
#ifndef LRQAT_CONCEPT_TRAINABLE_HPP
#define LRQAT_CONCEPT_TRAINABLE_HPP

#include <lrqat/core/policy.hpp>

namespace lrqat {

// clang-format off
template <class T>
concept Trainable = PolicyOf<T, kind::trainable> && requires {
  bool{T::adapter}; bool{T::scale}; bool{T::bias};
};
// clang-format on

}  // namespace lrqat

#endif  // LRQAT_CONCEPT_TRAINABLE_HPP
