// SPDX-License-Identifier: MIT
// tests/compile_fail/finalise_of_rounded.cpp: a layer that rounds has nothing soft.
// expect: finalise: this layer rounds to its grid already. Write layer.merge().
#include <lrqat/lrqat.hpp>

using namespace lrqat;
#ifdef LRQAT_CONTROL
using Layer = QuantLinear<Unrounded<Int<4>>, LowRank<4>>;
#else
using Layer = QuantLinear<Int<4>, LowRank<4>>;
#endif

void end(const Layer& layer) { finalise(layer); }
