// SPDX-License-Identifier: MIT
// tests/compile_fail/not_a_policy.cpp: an argument that is no policy.
// expect: QuantLinear<...>: one of the arguments is not a policy.
#include <lrqat/lrqat.hpp>

struct Stranger {};

#ifdef LRQAT_CONTROL
using Layer = lrqat::QuantLinear<lrqat::Int<4>>;
#else
using Layer = lrqat::QuantLinear<lrqat::Int<4>, Stranger>;
#endif

void train(lrqat::MatrixView<const float> x, lrqat::MatrixView<float> y) {
  Layer layer(x);
  layer.forward(x, y);
  layer.backward(x, x, y);
  layer.parameters();
  layer.merge().forward(x, y);
}
