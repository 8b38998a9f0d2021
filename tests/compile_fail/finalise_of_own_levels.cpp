// SPDX-License-Identifier: MIT
// tests/compile_fail/finalise_of_own_levels.cpp: the nearest integer is no level of such a grid.
// expect: finalise: the levels of this grid are no integers. Write std::move(layer).on_grid<G>()
#include <lrqat/lrqat.hpp>

using namespace lrqat;
#ifdef LRQAT_CONTROL
using Layer = QuantLinear<Unrounded<Int<4>>, LowRank<4>>;
#else
using Layer = QuantLinear<Unrounded<Nested<8, 4>>, LowRank<4>>;
#endif

void end(const Layer& layer) { finalise(layer); }
