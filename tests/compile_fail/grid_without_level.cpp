// SPDX-License-Identifier: MIT
// tests/compile_fail/grid_without_level.cpp: a grid that lacks a member of its concept.
// expect: QuantLinear<...>: the grid does not model lrqat::Grid
#include <lrqat/lrqat.hpp>

struct Mine : lrqat::Int<4> {
#ifndef LRQAT_CONTROL
  static void level(int, float) {}
#endif
};

#ifdef LRQAT_CONTROL
using Layer = lrqat::QuantLinear<Mine>;
#else
using Layer = lrqat::QuantLinear<Mine>;
#endif

void train(lrqat::MatrixView<const float> x, lrqat::MatrixView<float> y) {
  Layer layer(x);
  layer.forward(x, y);
  layer.backward(x, x, y);
  layer.parameters();
  layer.merge().forward(x, y);
}
