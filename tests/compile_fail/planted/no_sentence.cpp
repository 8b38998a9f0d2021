// SPDX-License-Identifier: MIT
// tests/compile_fail/planted/no_sentence.cpp: a file that promises nothing.
// verdict: has no line
static_assert(sizeof(char) == 2, "char: has one byte.");
