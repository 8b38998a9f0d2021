// SPDX-License-Identifier: MIT
// tests/compile_fail/input_per_tensor.cpp: sharing that is not built.
// expect: Input<Grid, Sharing>: scales are shared PerToken
#include <lrqat/granularity/per_tensor.hpp>
#include <lrqat/input/input.hpp>

#ifdef LRQAT_CONTROL
using Policy = lrqat::Input<lrqat::UInt<8>, lrqat::PerToken>;
#else
using Policy = lrqat::Input<lrqat::UInt<8>, lrqat::PerTensor>;
#endif

static_assert(sizeof(Policy) > 0);
