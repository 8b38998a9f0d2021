// SPDX-License-Identifier: MIT
// tests/compile_fail/input_without_backward.cpp: an input that lacks a member of its concept.
// expect: QuantLinear<...>: the input does not model lrqat::InputQuantizer
#include <lrqat/lrqat.hpp>

struct Mine {
  using policy_kind = lrqat::kind::input;
  static constexpr bool quantizes = true;
  static void forward(std::span<const float>, std::span<float>) {}
#ifdef LRQAT_CONTROL
  static void backward(std::span<const float>, std::span<float>) {}
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
