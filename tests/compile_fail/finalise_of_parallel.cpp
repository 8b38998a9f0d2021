// SPDX-License-Identifier: MIT
// tests/compile_fail/finalise_of_parallel.cpp: a branch beside the rounding cannot be rounded away.
// expect: finalise: a Parallel adapter stays a branch beside the integers.
#include <lrqat/lrqat.hpp>

using namespace lrqat;
#ifdef LRQAT_CONTROL
using Layer = QuantLinear<Unrounded<Int<4>>, LowRank<4>, BoundedRounding>;
#else
using Layer = QuantLinear<Unrounded<Int<4>>, LowRank<4>, Parallel>;
#endif

void end(const Layer& layer) { finalise(layer); }
