// SPDX-License-Identifier: MIT
// tests/compile_fail/mid_rise_9_bits.cpp: codes of more than 8 bits.
// expect: MidRise<Bits>: codes have 1 to 8 bits.
#include <lrqat/grid/mid_rise.hpp>

#ifdef LRQAT_CONTROL
using Grid = lrqat::MidRise<8>;
#else
using Grid = lrqat::MidRise<9>;
#endif

static_assert(sizeof(Grid) > 0);
