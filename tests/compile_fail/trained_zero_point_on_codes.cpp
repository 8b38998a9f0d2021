// SPDX-License-Identifier: MIT
// tests/compile_fail/trained_zero_point_on_codes.cpp: codes would move with their zero point.
// expect: QuantLinear<...>: a zero point that is trained would move a base that is kept as codes.
#include <lrqat/lrqat.hpp>

#ifdef LRQAT_CONTROL
using Base = lrqat::Dense<lrqat::bf16>;
#else
using Base = lrqat::FixedPoint;
#endif
using Layer =
    lrqat::QuantLinear<lrqat::UInt<4>, lrqat::LowRank<4>, Base, lrqat::AdapterAndQParams>;

void train(lrqat::MatrixView<const float> x, lrqat::MatrixView<float> y) {
  Layer layer(x);
  layer.backward(x, x, y);
  layer.merge().forward(x, y);
}
