// SPDX-License-Identifier: MIT
// tests/compile_fail/full_rank_tied.cpp: a trained base cannot move with the scale.
// expect: QuantLinear<...>: FullRank trains the base itself, so nothing frozen is left that TiedWeightDomain could move with the scale.
#include <lrqat/lrqat.hpp>

#ifdef LRQAT_CONTROL
using Placement = lrqat::WeightDomain;
#else
using Placement = lrqat::TiedWeightDomain;
#endif
using Layer = lrqat::QuantLinear<lrqat::Int<4>, lrqat::FullRank, Placement>;

void train(lrqat::MatrixView<const float> x, lrqat::MatrixView<float> y) {
  Layer layer(x);
  layer.backward(x, x, y);
  layer.merge().forward(x, y);
}
