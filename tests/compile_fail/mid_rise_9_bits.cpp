// SPDX-License-Identifier: MIT
// tests/compile_fail/mid_rise_9_bits.cpp: codes of more than 8 bits.
// expect: MidRise<Bits>: codes have 1 to 8 bits.
// errors: 2
#include <lrqat/lrqat.hpp>

#ifdef LRQAT_CONTROL
using Grid = lrqat::MidRise<8>;
#else
using Grid = lrqat::MidRise<9>;
#endif
using Layer = lrqat::QuantLinear<Grid, lrqat::LowRank<4>>;

void train(lrqat::MatrixView<const float> x, lrqat::MatrixView<float> y) {
  Layer layer(x);
  layer.forward(x, y);
  layer.backward(x, x, y);
  layer.parameters();
  layer.merge().forward(x, y);
}
