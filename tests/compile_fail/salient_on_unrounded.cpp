// SPDX-License-Identifier: MIT
// tests/compile_fail/salient_on_unrounded.cpp: off a grid that does not round.
// expect: QuantLinear<...>: salient weights are those that a grid of few bits would spoil
#include <lrqat/lrqat.hpp>

#ifdef LRQAT_CONTROL
using Grid = lrqat::Int<4>;
#else
using Grid = lrqat::Unrounded<lrqat::Int<4>>;
#endif
using Layer = lrqat::QuantLinear<Grid, lrqat::LowRank<4>, lrqat::Salient<>>;

void train(lrqat::MatrixView<const float> x, lrqat::MatrixView<float> y) {
  Layer layer(x);
  layer.forward(x, y);
  layer.backward(x, x, y);
  layer.parameters();
}
