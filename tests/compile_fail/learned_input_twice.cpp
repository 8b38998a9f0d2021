// SPDX-License-Identifier: MIT
// tests/compile_fail/learned_input_twice.cpp: inputs would be quantized by the layer, too.
// expect: LearnedInputLinear: the layer quantizes its input for itself
#include <lrqat/lrqat.hpp>

#ifdef LRQAT_CONTROL
using Policy = lrqat::LearnedInputLinear<lrqat::QuantLinear<lrqat::Int<4>>>;
#else
using Policy =
    lrqat::LearnedInputLinear<lrqat::QuantLinear<lrqat::Int<4>, lrqat::Input<lrqat::UInt<8>>>>;
#endif

std::size_t outputs(const Policy& layer) { return layer.out_features(); }
