// SPDX-License-Identifier: MIT
// tests/compile_fail/input_on_signed_grid.cpp: activations on a grid without zero point.
// expect: Input<Grid>: activations are quantized on an unsigned grid
#include <lrqat/grid/int.hpp>
#include <lrqat/input/input.hpp>

#ifdef LRQAT_CONTROL
using Policy = lrqat::Input<lrqat::UInt<8>>;
#else
using Policy = lrqat::Input<lrqat::Int<8>>;
#endif

static_assert(sizeof(Policy) > 0);
