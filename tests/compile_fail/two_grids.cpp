// SPDX-License-Identifier: MIT
// tests/compile_fail/two_grids.cpp: two policies of one kind.
// expect: QuantLinear<...>: two policies of one kind.
#include <lrqat/lrqat.hpp>

#ifdef LRQAT_CONTROL
using Layer = lrqat::QuantLinear<lrqat::Int<4>>;
#else
using Layer = lrqat::QuantLinear<lrqat::Int<4>, lrqat::UInt<8>>;
#endif

void train(lrqat::MatrixView<const float> x, lrqat::MatrixView<float> y) {
  Layer layer(x);
  layer.forward(x, y);
  layer.backward(x, x, y);
  layer.parameters();
  layer.merge().forward(x, y);
}
