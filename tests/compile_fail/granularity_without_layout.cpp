// SPDX-License-Identifier: MIT
// tests/compile_fail/granularity_without_layout.cpp: granularity lacks a member.
// expect: QuantLinear<...>: the granularity does not model lrqat::Granularity
#include <lrqat/lrqat.hpp>

struct Mine {
  using policy_kind = lrqat::kind::granularity;
#ifdef LRQAT_CONTROL
  static lrqat::ScaleLayout layout(lrqat::Shape weight, const lrqat::QuantOptions&) {
    return {{1, 1}, weight.cols};
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
