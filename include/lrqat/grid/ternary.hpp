// SPDX-License-Identifier: MIT
// grid/ternary.hpp: minus one, zero, one.
#ifndef LRQAT_GRID_TERNARY_HPP
#define LRQAT_GRID_TERNARY_HPP

#include <lrqat/concept/grid.hpp>
#include <lrqat/grid/detail/integer_levels.hpp>

namespace lrqat {

/// Levels -1, 0, 1 in two bits. A group's threshold is half its QParams::step, which an initializer
/// may choose apart from the scale (TWN: Li and Liu, arXiv 1605.04711): weight = scale * level, level
/// = 0 where |weight| <= step / 2.
struct Ternary : detail::IntegerLevels<-1, 1> {
  static constexpr int bits = 2;
  static constexpr bool has_threshold = true;
};

static_assert(IntegerGrid<Ternary>);

}  // namespace lrqat

#endif  // LRQAT_GRID_TERNARY_HPP
