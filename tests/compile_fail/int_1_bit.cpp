// SPDX-License-Identifier: MIT
// tests/compile_fail/int_1_bit.cpp: a signed grid of one bit.
// expect: Int<Bits>: signed codes have 2 to 8 bits.
#include <lrqat/grid/int.hpp>

#ifdef LRQAT_CONTROL
using Policy = lrqat::Int<2>;
#else
using Policy = lrqat::Int<1>;
#endif

static_assert(sizeof(Policy) > 0);
