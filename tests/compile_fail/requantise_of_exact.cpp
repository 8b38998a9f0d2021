// SPDX-License-Identifier: MIT
// tests/compile_fail/requantise_of_exact.cpp: a lossy merge where an exact one exists.
// expect: merge_requantised: this layer has no adapter beside the rounding.
#include <lrqat/lrqat.hpp>

#ifdef LRQAT_CONTROL
using Place = lrqat::Parallel;
#else
using Place = lrqat::InsideRounding;
#endif
using Layer = lrqat::QuantLinear<lrqat::Int<4>, lrqat::LowRank<4>, Place>;

void deploy(lrqat::MatrixView<const float> weight) {
  const Layer layer(weight);
  lrqat::merge_requantised(layer, weight);
}
