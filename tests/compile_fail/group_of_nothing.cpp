// SPDX-License-Identifier: MIT
// tests/compile_fail/group_of_nothing.cpp: groups without weights.
// expect: PerGroup<GroupSize>: a group has at least one weight.
#include <lrqat/granularity/per_group.hpp>

#ifdef LRQAT_CONTROL
using Policy = lrqat::PerGroup<1>;
#else
using Policy = lrqat::PerGroup<0>;
#endif

static_assert(sizeof(Policy) > 0);
