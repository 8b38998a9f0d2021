// SPDX-License-Identifier: MIT
// tests/compile_fail/weight_domain_on_codes.cpp: codes cannot hold a base in weight units.
// expect: QuantLinear<...>: WeightDomain keeps W0 in weight units, which this storage cannot hold.
#include <lrqat/lrqat.hpp>

#ifdef LRQAT_CONTROL
using Base = lrqat::Dense<lrqat::bf16>;
#else
using Base = lrqat::FixedPoint;
#endif
using Layer = lrqat::QuantLinear<lrqat::Int<4>, lrqat::LowRank<4>, lrqat::WeightDomain, Base>;

void train(lrqat::MatrixView<const float> x, lrqat::MatrixView<float> y) {
  Layer layer(x);
  layer.forward(x, y);
  layer.backward(x, x, y);
  layer.parameters();
  layer.merge().forward(x, y);
}
