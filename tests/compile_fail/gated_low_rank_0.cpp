// SPDX-License-Identifier: MIT
// tests/compile_fail/gated_low_rank_0.cpp: an adapter that has faded before it began.
// expect: GatedLowRank<MaxRank>: the rank at the start is a number from 1 on.
#include <lrqat/adapter/gated_low_rank.hpp>

#ifdef LRQAT_CONTROL
using Policy = lrqat::GatedLowRank<1>;
#else
using Policy = lrqat::GatedLowRank<0>;
#endif

static_assert(sizeof(Policy) > 0);
