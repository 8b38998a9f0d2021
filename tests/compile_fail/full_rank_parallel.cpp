// SPDX-License-Identifier: MIT
// tests/compile_fail/full_rank_parallel.cpp: a trained base beside the rounding is not quantized.
// expect: QuantLinear<...>: FullRank beside the rounding would never be quantized.
#include <lrqat/lrqat.hpp>

#ifdef LRQAT_CONTROL
using Delta = lrqat::LowRank<4>;
#else
using Delta = lrqat::FullRank;
#endif
using Layer = lrqat::QuantLinear<lrqat::Int<4>, Delta, lrqat::Parallel>;

void train(lrqat::MatrixView<const float> x, lrqat::MatrixView<float> y) {
  Layer layer(x);
  layer.forward(x, y);
  layer.backward(x, x, y);
  layer.parameters();
}
