// SPDX-License-Identifier: MIT
// tests/compile_fail/gaussian_rms_on_int.cpp: a Gaussian range for a grid that has none.
// expect: QuantLinear<...>: the initializer does not model lrqat::InitializerOf for this grid
#include <lrqat/lrqat.hpp>

#ifdef LRQAT_CONTROL
using Grid = lrqat::MidRise<4>;
#else
using Grid = lrqat::Int<4>;
#endif
using Layer = lrqat::QuantLinear<Grid, lrqat::LowRank<4>, lrqat::GaussianRms>;

void train(lrqat::MatrixView<const float> x, lrqat::MatrixView<float> y) {
  Layer layer(x);
  layer.forward(x, y);
  layer.backward(x, x, y);
  layer.parameters();
  layer.merge().forward(x, y);
}
