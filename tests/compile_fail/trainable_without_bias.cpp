// SPDX-License-Identifier: MIT
// tests/compile_fail/trainable_without_bias.cpp: trainable set lacks a member.
// expect: QuantLinear<...>: the trainable set does not model lrqat::Trainable
#include <lrqat/lrqat.hpp>

struct Mine {
  using policy_kind = lrqat::kind::trainable;
  static constexpr bool adapter = true, scale = true;
#ifdef LRQAT_CONTROL
  static constexpr bool bias = false;
#endif
};

#ifdef LRQAT_CONTROL
using Layer = lrqat::QuantLinear<lrqat::Int<4>, Mine>;
#else
using Layer = lrqat::QuantLinear<lrqat::Int<4>, Mine>;
#endif

void train(lrqat::MatrixView<const float> x, lrqat::MatrixView<float> y) {
  Layer layer(x);
  layer.forward(x, y);
  layer.backward(x, x, y);
  layer.parameters();
  layer.merge().forward(x, y);
}
