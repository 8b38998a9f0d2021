// SPDX-License-Identifier: MIT
// tests/compile_fail/measured_and_learned.cpp: a trainable set that measures what it trains.
// expect: QuantLinear<...>: a scale is measured or learned, not both.
#include <lrqat/lrqat.hpp>

struct Both {
  using policy_kind = lrqat::kind::trainable;
#ifdef LRQAT_CONTROL
  static constexpr bool adapter = true, scale = false, bias = false, measures_scale = true;
#else
  static constexpr bool adapter = true, scale = true, bias = false, measures_scale = true;
#endif
};
using Layer = lrqat::QuantLinear<lrqat::Int<4>, lrqat::FullRank, lrqat::WeightDomain, Both>;

void train(lrqat::MatrixView<const float> x, lrqat::MatrixView<float> y) {
  Layer layer(x);
  layer.forward(x, y);
  layer.backward(x, x, y);
  layer.parameters();
  layer.merge().forward(x, y);
}
