// SPDX-License-Identifier: MIT
// tests/compile_fail/offset_twice.cpp: an offset on a grid that has one.
// expect: Offset<G>: the grid G has an offset already.
#include <lrqat/lrqat.hpp>

#ifdef LRQAT_CONTROL
using Levels = lrqat::Int<4>;
#else
using Levels = lrqat::Offset<lrqat::Int<4>>;
#endif

int lowest() { return lrqat::Offset<Levels>::code_min; }
