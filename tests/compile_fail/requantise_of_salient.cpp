// SPDX-License-Identifier: MIT
// tests/compile_fail/requantise_of_salient.cpp: codes have no room for salient weights.
// expect: merge_requantised: salient weights stay off the grid
#include <lrqat/lrqat.hpp>

#ifdef LRQAT_CONTROL
using Kept = lrqat::NoSalient;
#else
using Kept = lrqat::Salient<>;
#endif
using Layer = lrqat::QuantLinear<lrqat::Int<4>, lrqat::LowRank<4>, lrqat::Parallel, Kept>;

void deploy(lrqat::MatrixView<const float> weight) {
  const Layer layer(weight);
  lrqat::merge_requantised(layer, weight);
}
