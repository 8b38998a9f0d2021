// SPDX-License-Identifier: MIT
// tests/compile_fail/planted/broken_control.cpp: fails with and without its mistake.
// expect: char: has one byte.
// verdict: With LRQAT_CONTROL it still does not compile
static_assert(sizeof(char) == 2, "char: has one byte.");
