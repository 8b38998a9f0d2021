// SPDX-License-Identifier: MIT
// tests/compile_fail/dynamic_input_with_zero_point.cpp: a symmetric input on a grid with a zero point.
// expect: DynamicInput<Grid, Initializer>: a grid without zero point
#include <lrqat/lrqat.hpp>

#ifdef LRQAT_CONTROL
using Grid = lrqat::Int<8>;
#else
using Grid = lrqat::UInt<8>;
#endif
using Layer =
    lrqat::QuantLinear<lrqat::Int<4>, lrqat::LowRank<4>, lrqat::DynamicInput<Grid, lrqat::MinMax>>;

void train(lrqat::MatrixView<const float> x, lrqat::MatrixView<float> y) {
  Layer layer(x);
  layer.forward(x, y);
  layer.backward(x, x, y);
  layer.parameters();
  layer.merge().forward(x, y);
}
