// SPDX-License-Identifier: MIT
// tests/compile_fail/clips_inside_rounding.cpp: learned clips of a base in grid units.
// expect: QuantLinear<...>: learned clips are parts of a weight's range in weight units
#include <lrqat/lrqat.hpp>

#ifdef LRQAT_CONTROL
using Place = lrqat::WeightDomain;
#else
using Place = lrqat::InsideRounding;
#endif
using Layer = lrqat::QuantLinear<lrqat::UInt<4>, lrqat::LowRank<4>, lrqat::AdapterAndClips, Place>;

void train(lrqat::MatrixView<const float> x, lrqat::MatrixView<float> y) {
  Layer layer(x);
  layer.forward(x, y);
  layer.backward(x, x, y);
  layer.parameters();
  layer.merge().forward(x, y);
}
