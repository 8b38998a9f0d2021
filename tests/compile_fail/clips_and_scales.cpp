// SPDX-License-Identifier: MIT
// tests/compile_fail/clips_and_scales.cpp: a trainable set of clips and of the scales they decide.
// expect: QuantLinear<...>: clips stand in for scale and zero point
#include <lrqat/lrqat.hpp>

struct Both {
  using policy_kind = lrqat::kind::trainable;
#ifdef LRQAT_CONTROL
  static constexpr bool adapter = true, scale = false, bias = false, clips = true;
#else
  static constexpr bool adapter = true, scale = true, bias = false, clips = true;
#endif
};
using Layer = lrqat::QuantLinear<lrqat::UInt<4>, lrqat::FullRank, lrqat::WeightDomain, Both>;

void train(lrqat::MatrixView<const float> x, lrqat::MatrixView<float> y) {
  Layer layer(x);
  layer.forward(x, y);
  layer.backward(x, x, y);
  layer.parameters();
  layer.merge().forward(x, y);
}
