// SPDX-License-Identifier: MIT
// tests/compile_fail/uint_9_bits.cpp: an unsigned grid of nine bits.
// expect: UInt<Bits>: unsigned codes have 2 to 8 bits.
#include <lrqat/grid/uint.hpp>

#ifdef LRQAT_CONTROL
using Policy = lrqat::UInt<8>;
#else
using Policy = lrqat::UInt<9>;
#endif

static_assert(sizeof(Policy) > 0);
