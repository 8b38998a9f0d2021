// SPDX-License-Identifier: MIT
// tests/compile_fail/storage_twice.cpp: the same policy twice is two of a kind as well.
// expect: QuantLinear<...>: two policies of one kind.
#include <lrqat/lrqat.hpp>

#ifdef LRQAT_CONTROL
using Layer = lrqat::QuantLinear<lrqat::Int<4>, lrqat::Packed>;
#else
using Layer = lrqat::QuantLinear<lrqat::Packed, lrqat::Int<4>, lrqat::Packed>;
#endif

void train(lrqat::MatrixView<const float> x, lrqat::MatrixView<float> y) {
  Layer layer(x);
  layer.forward(x, y);
  layer.backward(x, x, y);
  layer.parameters();
  layer.merge().forward(x, y);
}
