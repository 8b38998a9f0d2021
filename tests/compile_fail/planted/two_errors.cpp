// SPDX-License-Identifier: MIT
// tests/compile_fail/planted/two_errors.cpp: one mistake may not show as two errors.
// expect: char: has [one] byte; not two.
// verdict: 2 error lines where 1 was expected
#ifndef LRQAT_CONTROL
static_assert(sizeof(char) == 2, "char: has [one] byte; not two.");
static_assert(sizeof(char) == 3, "char: nor three.");
#endif
