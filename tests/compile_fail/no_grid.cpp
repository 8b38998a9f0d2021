// SPDX-License-Identifier: MIT
// tests/compile_fail/no_grid.cpp: a grid is required.
// expect: QuantLinear<...>: no grid.
#include <lrqat/lrqat.hpp>

#ifdef LRQAT_CONTROL
using Layer = lrqat::QuantLinear<lrqat::Int<4>, lrqat::LowRank<4>>;
#else
using Layer = lrqat::QuantLinear<lrqat::LowRank<4>>;
#endif

void train(lrqat::MatrixView<const float> x, lrqat::MatrixView<float> y) {
  Layer layer(x);
  layer.forward(x, y);
  layer.backward(x, x, y);
  layer.parameters();
  layer.merge().forward(x, y);
}
