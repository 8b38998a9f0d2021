// SPDX-License-Identifier: MIT
// tests/compile_fail/unquantized_on_codes.cpp: a grid without codes in a storage of codes.
// expect: QuantLinear<...>: Unquantized has no codes, so this storage has nothing to keep.
#include <lrqat/lrqat.hpp>

#ifdef LRQAT_CONTROL
using Policy = lrqat::method::Lora<4, lrqat::Dense<lrqat::bf16>>;
#else
using Policy = lrqat::method::Lora<4, lrqat::Packed>;
#endif

void train(lrqat::MatrixView<const float> x, lrqat::MatrixView<float> y) {
  Policy layer(x);
  layer.forward(x, y);
  layer.backward(x, x, y);
  layer.parameters();
}
