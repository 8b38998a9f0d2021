// SPDX-License-Identifier: MIT
// tests/compile_fail/nothing_to_train.cpp: no adapter and a frozen scale.
// expect: QuantLinear<...>: nothing is left to train.
#include <lrqat/lrqat.hpp>

#ifdef LRQAT_CONTROL
using Layer = lrqat::QuantLinear<lrqat::Int<4>, lrqat::LowRank<4>, lrqat::AdapterOnly>;
#else
using Layer = lrqat::QuantLinear<lrqat::Int<4>, lrqat::AdapterOnly>;
#endif

void train(lrqat::MatrixView<const float> x, lrqat::MatrixView<float> y) {
  Layer layer(x);
  layer.forward(x, y);
  layer.backward(x, x, y);
  layer.parameters();
  layer.merge().forward(x, y);
}
