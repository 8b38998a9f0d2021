// SPDX-License-Identifier: MIT
// tests/compile_fail/offset_on_tied_base.cpp: a placement that says nothing about offsets.
// expect: QuantLinear<...>: this placement does not say what an offset does to it, which a grid with offsets needs (OffsetPlacement in concept/placement.hpp).
#include <lrqat/lrqat.hpp>

#ifdef LRQAT_CONTROL
using Placement = lrqat::WeightDomain;
#else
using Placement = lrqat::TiedWeightDomain;
#endif
using Layer = lrqat::QuantLinear<lrqat::Offset<lrqat::Int<4>>, lrqat::LowRank<4>, Placement>;

void train(lrqat::MatrixView<const float> x, lrqat::MatrixView<float> y) {
  Layer layer(x);
  layer.backward(x, x, y);
  layer.merge().forward(x, y);
}
