// SPDX-License-Identifier: MIT
// tests/compile_fail/sign_inside_rounding.cpp: a delta in steps of two levels.
// expect: QuantLinear<...>: InsideRounding adds the adapter in steps of the grid, and two or three levels have none
#include <lrqat/lrqat.hpp>

#ifdef LRQAT_CONTROL
using Grid = lrqat::MidRise<2>;
#else
using Grid = lrqat::Sign;
#endif
using Layer = lrqat::QuantLinear<Grid, lrqat::FullRank>;

void train(lrqat::MatrixView<const float> x, lrqat::MatrixView<float> y) {
  Layer layer(x);
  layer.forward(x, y);
  layer.backward(x, x, y);
  layer.parameters();
  layer.merge().forward(x, y);
}
