// SPDX-License-Identifier: MIT
// tests/compile_fail/planted/other_sentence.cpp: fails, but not with the sentence it promises.
// expect: write Int<4> instead
// verdict: No error line says
#ifndef LRQAT_CONTROL
static_assert(sizeof(char) == 2, "char: has one byte.");
#endif
