// SPDX-License-Identifier: MIT
// tests/compile_fail/dynamic_input_with_zero_point.cpp: a symmetric input on a grid with a zero point.
// expect: DynamicInput<Grid, Initializer>: a grid without zero point
#include <lrqat/grid/int.hpp>
#include <lrqat/grid/uint.hpp>
#include <lrqat/input/dynamic_input.hpp>

#ifdef LRQAT_CONTROL
using Grid = lrqat::Int<8>;
#else
using Grid = lrqat::UInt<8>;
#endif

bool quantizes() { return lrqat::DynamicInput<Grid, lrqat::MinMax>::quantizes; }
