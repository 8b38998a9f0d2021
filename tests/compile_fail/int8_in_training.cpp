// SPDX-License-Identifier: MIT
// tests/compile_fail/int8_in_training.cpp: products of codes before there are codes.
// expect: QuantLinear<...>: Compute<int8> multiplies codes, which only a merged layer has.
#include <lrqat/lrqat.hpp>

using Bytes = lrqat::Input<lrqat::UInt<8>, lrqat::PerToken, lrqat::IntegerZeroPoint>;
#ifdef LRQAT_CONTROL
using Layer = lrqat::QuantLinear<lrqat::Int<4>, lrqat::LowRank<2>, Bytes>;
#else
using Layer =
    lrqat::QuantLinear<lrqat::Int<4>, lrqat::LowRank<2>, Bytes, lrqat::Compute<lrqat::int8>>;
#endif

void train(lrqat::MatrixView<const float> x, lrqat::MatrixView<float> y) {
  Layer layer(x);
  layer.forward(x, y);
  layer.backward(x, x, y);
  layer.parameters();
  layer.merge().forward(x, y);
}
