// SPDX-License-Identifier: MIT
// tests/compile_fail/bit_widths_rising.cpp: a list of widths starts with the highest.
// expect: BitWidths<High, Lows...>: 2 to 8 bits, each width lower than the one before.
#include <lrqat/grid/nested.hpp>

#ifdef LRQAT_CONTROL
using Widths = lrqat::BitWidths<8, 6, 4>;
#else
using Widths = lrqat::BitWidths<8, 4, 6>;
#endif

constexpr int high = Widths::high;
