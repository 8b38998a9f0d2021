// SPDX-License-Identifier: MIT
// tests/compile_fail/int8_of_floats.cpp: products of codes where activations have none.
// expect: MergedLinear: Compute<int8> multiplies codes of activations.
#include <lrqat/lrqat.hpp>

#ifdef LRQAT_CONTROL
using Inputs = lrqat::Input<lrqat::UInt<8>, lrqat::PerToken, lrqat::IntegerZeroPoint>;
#else
using Inputs = lrqat::Input<lrqat::UInt<8>>;
#endif

void infer(const lrqat::MergedLinear<lrqat::Int<4>>& layer, lrqat::MatrixView<const float> x,
           lrqat::MatrixView<float> y) {
  layer.in<lrqat::Compute<lrqat::int8>, Inputs>().forward(x, y);
}
