// SPDX-License-Identifier: MIT
// tests/compile_fail/nested_upside_down.cpp: the lower width is made of the higher one.
// expect: Nested<High, Low>: 2 to 8 bits, the higher precision first.
#include <lrqat/grid/nested.hpp>

#ifdef LRQAT_CONTROL
using Grid = lrqat::Nested<8, 4>;
#else
using Grid = lrqat::Nested<4, 8>;
#endif

constexpr int bits = Grid::bits;
