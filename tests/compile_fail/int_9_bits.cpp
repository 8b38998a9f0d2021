// SPDX-License-Identifier: MIT
// tests/compile_fail/int_9_bits.cpp: a signed grid of nine bits.
// expect: Int<Bits>: signed codes have 2 to 8 bits.
#include <lrqat/grid/int.hpp>

#ifdef LRQAT_CONTROL
using Policy = lrqat::Int<8>;
#else
using Policy = lrqat::Int<9>;
#endif

static_assert(sizeof(Policy) > 0);
