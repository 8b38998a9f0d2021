// SPDX-License-Identifier: MIT
// tests/compile_fail/two_scale_formats.cpp: scales in two formats at once.
// expect: QuantLinear<...>: two policies of one kind.
#include <lrqat/lrqat.hpp>

#ifdef LRQAT_CONTROL
using Layer = lrqat::QuantLinear<lrqat::Fp16Scale, lrqat::Int<4>>;
#else
using Layer = lrqat::QuantLinear<lrqat::Fp16Scale, lrqat::Int<4>, lrqat::Float32Scale>;
#endif

void train(lrqat::MatrixView<const float> x, lrqat::MatrixView<float> y) {
  Layer layer(x);
  layer.forward(x, y);
  layer.backward(x, x, y);
  layer.parameters();
  layer.merge().forward(x, y);
}
