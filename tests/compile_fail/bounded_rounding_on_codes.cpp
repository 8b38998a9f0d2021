// SPDX-License-Identifier: MIT
// tests/compile_fail/bounded_rounding_on_codes.cpp: codes have no fraction to start from.
// expect: BoundedRounding starts from the fractions of a frozen base, which this one has not.
#include <lrqat/lrqat.hpp>

using namespace lrqat;
#ifdef LRQAT_CONTROL
using Layer = QuantLinear<Unrounded<Int<7>>, LowRank<4>, BoundedRounding, FixedPoint>;
#else
using Layer = QuantLinear<Unrounded<Int<8>>, LowRank<4>, BoundedRounding, FixedPoint>;
#endif

void use(const Layer&) {}
