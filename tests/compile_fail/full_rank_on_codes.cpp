// SPDX-License-Identifier: MIT
// tests/compile_fail/full_rank_on_codes.cpp: the trained weight is kept as floats.
// expect: QuantLinear<...>: FullRank trains the base itself, in float32.
#include <lrqat/lrqat.hpp>

#ifdef LRQAT_CONTROL
using Layer = lrqat::QuantLinear<lrqat::Int<4>, lrqat::FullRank, lrqat::Dense<float>>;
#else
using Layer = lrqat::QuantLinear<lrqat::Int<4>, lrqat::FullRank, lrqat::FixedPoint>;
#endif

void train(lrqat::MatrixView<const float> x, lrqat::MatrixView<float> y) {
  Layer layer(x);
  layer.forward(x, y);
  layer.backward(x, x, y);
  layer.parameters();
  layer.merge().forward(x, y);
}
