// SPDX-License-Identifier: MIT
// grid/symmetric_int.hpp: signed integers without the lowest, so that both ends are alike.
#ifndef LRQAT_GRID_SYMMETRIC_INT_HPP
#define LRQAT_GRID_SYMMETRIC_INT_HPP

#include <lrqat/concept/grid.hpp>
#include <lrqat/grid/detail/integer_levels.hpp>

namespace lrqat {

/// Levels -p .. p, p = 2^(Bits-1) - 1 (LLM-QAT's weights, SmoothQuant's and QServe's activations);
/// rounding is half to even.
template <int Bits>
struct SymmetricInt : detail::IntegerLevels<1 - (1 << (Bits - 1)), (1 << (Bits - 1)) - 1> {
  static_assert(Bits >= 2 && Bits <= 8, "SymmetricInt<Bits>: signed codes have 2 to 8 bits.");
  static constexpr int bits = Bits;
};

static_assert(IntegerGrid<SymmetricInt<4>>);

}  // namespace lrqat

#endif  // LRQAT_GRID_SYMMETRIC_INT_HPP
