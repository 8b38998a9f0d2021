// SPDX-License-Identifier: MIT
// tests/compile_fail/dense_double.cpp: a floating-point type that no base is kept in.
// expect: Dense<T>: T is float or lrqat::bf16.
#include <lrqat/storage/dense.hpp>

#ifdef LRQAT_CONTROL
using Policy = lrqat::Dense<lrqat::bf16>;
#else
using Policy = lrqat::Dense<double>;
#endif

static_assert(sizeof(Policy) > 0);
