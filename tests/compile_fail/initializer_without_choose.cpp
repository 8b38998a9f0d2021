// SPDX-License-Identifier: MIT
// tests/compile_fail/initializer_without_choose.cpp: initializer lacks a member.
// expect: QuantLinear<...>: the initializer does not model lrqat::InitializerOf
#include <lrqat/lrqat.hpp>

struct Mine {
  using policy_kind = lrqat::kind::initializer;
#ifdef LRQAT_CONTROL
  template <lrqat::Grid G>
  static lrqat::QParams choose(std::span<const float>) {
    return {1.0f, 0.0f};
  }
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
