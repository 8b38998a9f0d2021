// SPDX-License-Identifier: MIT
// tests/compile_fail/unknown_kind.cpp: a policy of a kind that no slot reads.
// expect: QuantLinear<...>: a policy's policy_kind is none that a linear layer has.
#include <lrqat/lrqat.hpp>

struct Transform {
  struct transform {};
  using policy_kind = transform;
};

#ifdef LRQAT_CONTROL
using Layer = lrqat::QuantLinear<lrqat::Int<4>>;
#else
using Layer = lrqat::QuantLinear<lrqat::Int<4>, Transform>;
#endif

void train(lrqat::MatrixView<const float> x, lrqat::MatrixView<float> y) {
  Layer layer(x);
  layer.forward(x, y);
  layer.backward(x, x, y);
  layer.parameters();
  layer.merge().forward(x, y);
}
