// SPDX-License-Identifier: MIT
// tests/compile_fail/bounded_rounding_on_own_levels.cpp: neighbours that are no integers.
// expect: BoundedRounding chooses between integers, which the levels of this grid are not.
#include <lrqat/lrqat.hpp>

using namespace lrqat;

struct OwnLevels : Int<4> {
  static constexpr bool levels_are_integers = false;
};

#ifdef LRQAT_CONTROL
using Layer = QuantLinear<OwnLevels, LowRank<4>, Dense<float>>;
#else
using Layer = QuantLinear<OwnLevels, LowRank<4>, Dense<float>, BoundedRounding>;
#endif

void use(const Layer&) {}
