// SPDX-License-Identifier: MIT
// tests/compile_fail/dense_of_input.cpp: a dense layer would not quantize its activations.
// expect: QuantLinear::dense: a DenseLinear takes activations as they are.
#include <lrqat/lrqat.hpp>

#ifdef LRQAT_CONTROL
using Policy = lrqat::method::Qlora<4>;
#else
using Policy = lrqat::method::Qlora<4, lrqat::Input<lrqat::UInt<8>>>;
#endif

lrqat::DenseLinear<float> deploy(const Policy& layer) { return layer.dense(); }
