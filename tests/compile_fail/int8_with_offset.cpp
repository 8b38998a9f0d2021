// SPDX-License-Identifier: MIT
// tests/compile_fail/int8_with_offset.cpp: products of codes that have a real offset.
// expect: MergedLinear: Compute<int8> multiplies codes, and weights with a real offset are not codes times scales.
#include <lrqat/lrqat.hpp>

#ifdef LRQAT_CONTROL
using Grid = lrqat::UInt<4>;
#else
using Grid = lrqat::Offset<lrqat::UInt<4>>;
#endif

void infer(const lrqat::MergedLinear<Grid>& layer, lrqat::MatrixView<const float> x,
           lrqat::MatrixView<float> y) {
  using Bytes = lrqat::Input<lrqat::UInt<8>, lrqat::PerToken, lrqat::IntegerZeroPoint>;
  layer.in<lrqat::Compute<lrqat::int8>, Bytes>().forward(x, y);
}
