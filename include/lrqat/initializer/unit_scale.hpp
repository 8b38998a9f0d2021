// SPDX-License-Identifier: MIT
// initializer/unit_scale.hpp: scales of 1.
#ifndef LRQAT_INITIALIZER_UNIT_SCALE_HPP
#define LRQAT_INITIALIZER_UNIT_SCALE_HPP

#include <lrqat/concept/grid.hpp>
#include <lrqat/concept/initializer.hpp>

namespace lrqat {

/// Whatever the weights: levels are weights. What Unquantized starts from.
struct UnitScale {
  using policy_kind = kind::initializer;

  template <Grid G>
  static QParams choose(std::span<const float>) {
    return {1.0f, 0.0f};
  }
};

}  // namespace lrqat

#endif  // LRQAT_INITIALIZER_UNIT_SCALE_HPP
