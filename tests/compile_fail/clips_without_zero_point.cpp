// SPDX-License-Identifier: MIT
// tests/compile_fail/clips_without_zero_point.cpp: learned clips on a grid that has no zero point.
// expect: QuantLinear<...>: learned clips are parts of a weight's range in weight units
#include <lrqat/lrqat.hpp>

#ifdef LRQAT_CONTROL
using Grid = lrqat::UInt<4>;
#else
using Grid = lrqat::Int<4>;
#endif
using Layer = lrqat::QuantLinear<Grid, lrqat::WeightDomain, lrqat::ClipsOnly>;

void train(lrqat::MatrixView<const float> x, lrqat::MatrixView<float> y) {
  Layer layer(x);
  layer.forward(x, y);
  layer.backward(x, x, y);
  layer.parameters();
  layer.merge().forward(x, y);
}
