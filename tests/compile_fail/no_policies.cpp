// SPDX-License-Identifier: MIT
// tests/compile_fail/no_policies.cpp: a layer without any policy has no grid either.
// expect: QuantLinear<...>: no grid.
#include <lrqat/lrqat.hpp>

#ifdef LRQAT_CONTROL
using Layer = lrqat::QuantLinear<lrqat::Int<4>>;
#else
using Layer = lrqat::QuantLinear<>;
#endif

void train(lrqat::MatrixView<const float> x, lrqat::MatrixView<float> y) {
  Layer layer(x);
  layer.forward(x, y);
  layer.backward(x, x, y);
  layer.parameters();
  layer.merge().forward(x, y);
}
