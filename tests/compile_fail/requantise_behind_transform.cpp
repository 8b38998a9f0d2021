// SPDX-License-Identifier: MIT
// tests/compile_fail/requantise_behind_transform.cpp: an adapter in another basis than the weight.
// expect: merge_requantised: the adapter behind a transform is in another basis
#include <lrqat/lrqat.hpp>

#ifdef LRQAT_CONTROL
using Basis = lrqat::Identity;
#else
using Basis = lrqat::Hadamard<8>;
#endif
using Layer = lrqat::QuantLinear<lrqat::Int<4>, lrqat::LowRank<4>, lrqat::Parallel, Basis>;

void deploy(lrqat::MatrixView<const float> weight) {
  const Layer layer(weight);
  lrqat::merge_requantised(layer, weight);
}
