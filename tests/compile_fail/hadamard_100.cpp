// SPDX-License-Identifier: MIT
// tests/compile_fail/hadamard_100.cpp: a block that is no power of two.
// expect: Hadamard<Block>: a block has a power of two inputs.
#include <lrqat/lrqat.hpp>

#ifdef LRQAT_CONTROL
using Basis = lrqat::Hadamard<64>;
#else
using Basis = lrqat::Hadamard<100>;
#endif
using Layer = lrqat::QuantLinear<lrqat::Int<4>, lrqat::LowRank<4>, Basis>;

void train(lrqat::MatrixView<const float> x, lrqat::MatrixView<float> y) {
  Layer layer(x);
  layer.forward(x, y);
  layer.backward(x, x, y);
  layer.parameters();
  layer.merge().forward(x, y);
}
