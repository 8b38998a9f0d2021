// SPDX-License-Identifier: MIT
// tests/compile_fail/unquantized_with_scale.cpp: a scale where every real is a level.
// expect: QuantLinear<...>: Unquantized has no scale to choose. Leave the initializer out.
#include <lrqat/lrqat.hpp>

#ifdef LRQAT_CONTROL
using Policy = lrqat::method::Lora<4>;
#else
using Policy = lrqat::method::Lora<4, lrqat::MinMax>;
#endif

void train(lrqat::MatrixView<const float> x, lrqat::MatrixView<float> y) {
  Policy layer(x);
  layer.forward(x, y);
  layer.backward(x, x, y);
  layer.parameters();
}
