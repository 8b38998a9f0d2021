// SPDX-License-Identifier: MIT
// tests/compile_fail/measured_inside_rounding.cpp: a scale measured from a base in grid units.
// expect: QuantLinear<...>: a scale is measured from a weight in weight units
#include <lrqat/lrqat.hpp>

#ifdef LRQAT_CONTROL
using Place = lrqat::WeightDomain;
#else
using Place = lrqat::InsideRounding;
#endif
using Layer = lrqat::QuantLinear<lrqat::Int<4>, lrqat::LowRank<4>, lrqat::MeasuredScale, Place>;

void train(lrqat::MatrixView<const float> x, lrqat::MatrixView<float> y) {
  Layer layer(x);
  layer.forward(x, y);
  layer.backward(x, x, y);
  layer.parameters();
  layer.merge().forward(x, y);
}
