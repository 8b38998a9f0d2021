// SPDX-License-Identifier: MIT
// tests/compile_fail/low_rank_0.cpp: an adapter of rank 0.
// expect: LowRank<Rank>: for rank 0 write NoAdapter.
#include <lrqat/adapter/low_rank.hpp>

#ifdef LRQAT_CONTROL
using Policy = lrqat::LowRank<1>;
#else
using Policy = lrqat::LowRank<0>;
#endif

static_assert(sizeof(Policy) > 0);
