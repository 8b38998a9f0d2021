// SPDX-License-Identifier: MIT
// tests/compile_fail/planted/no_mistake.cpp: compiles, so the check must complain.
// expect: anything
// verdict: should have been an error
int no_mistake() { return 0; }
