// SPDX-License-Identifier: MIT
// tests/compile_fail/hadamard_100.cpp: a block that is no power of two.
// expect: Hadamard<Block>: a block has a power of two inputs.
#include <lrqat/transform/hadamard.hpp>

#ifdef LRQAT_CONTROL
using Basis = lrqat::Hadamard<64>;
#else
using Basis = lrqat::Hadamard<100>;
#endif

void rotate(std::span<float> x) { Basis::apply(x); }
