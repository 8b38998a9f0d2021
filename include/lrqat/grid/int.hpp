// SPDX-License-Identifier: MIT
// grid/int.hpp: signed integers, the symmetric uniform grid of LR-QAT and LSQ.
#ifndef LRQAT_GRID_INT_HPP
#define LRQAT_GRID_INT_HPP

#include <lrqat/concept/grid.hpp>
#include <lrqat/grid/detail/integer_levels.hpp>

namespace lrqat {

/// Levels -2^(Bits-1) .. 2^(Bits-1) - 1 (the full signed range, not restricted to +-p); rounding
/// is half to even (LR-QAT, arXiv 2406.06385, eq. 1 with zero point 0).
template <int Bits>
struct Int : detail::IntegerLevels<-(1 << (Bits - 1)), (1 << (Bits - 1)) - 1> {
  static_assert(Bits >= 2 && Bits <= 8, "Int<Bits>: signed codes have 2 to 8 bits.");
  static constexpr int bits = Bits;
};

static_assert(Grid<Int<4>>);

}  // namespace lrqat

#endif  // LRQAT_GRID_INT_HPP
