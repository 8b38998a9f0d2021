// SPDX-License-Identifier: MIT
// tests/compile_fail/lp_search_0.cpp: a norm without an exponent.
// expect: LpSearch<Numerator, Denominator>: the exponent is positive.
#include <lrqat/initializer/lp_search.hpp>

#ifdef LRQAT_CONTROL
using Policy = lrqat::LpSearch<12, 5>;
#else
using Policy = lrqat::LpSearch<0>;
#endif

static_assert(sizeof(Policy) > 0);
