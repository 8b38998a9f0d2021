// SPDX-License-Identifier: MIT
// tests/compile_fail/ternary_inside_rounding.cpp: a delta in steps of three levels.
// expect: QuantLinear<...>: InsideRounding adds the adapter in steps of the grid, and two or three levels have none
#include <lrqat/lrqat.hpp>

#ifdef LRQAT_CONTROL
using Place = lrqat::WeightDomain;
#else
using Place = lrqat::InsideRounding;
#endif
using Layer = lrqat::QuantLinear<lrqat::Ternary, lrqat::LowRank<4>, Place>;

void train(lrqat::MatrixView<const float> x, lrqat::MatrixView<float> y) {
  Layer layer(x);
  layer.forward(x, y);
  layer.backward(x, x, y);
  layer.parameters();
  layer.merge().forward(x, y);
}
