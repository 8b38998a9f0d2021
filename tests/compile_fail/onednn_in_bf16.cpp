// SPDX-License-Identifier: MIT
// tests/compile_fail/onednn_in_bf16.cpp: an arithmetic that the backend does not have.
// expect: QuantLinear<...>: this backend computes in float32 alone
#include <lrqat/backend/onednn.hpp>
#include <lrqat/lrqat.hpp>

#ifdef LRQAT_CONTROL
using Layer = lrqat::QuantLinear<lrqat::Int<4>, lrqat::LowRank<2>, lrqat::OneDnn>;
#else
using Layer = lrqat::QuantLinear<lrqat::Int<4>, lrqat::LowRank<2>, lrqat::OneDnn,
                                 lrqat::Compute<lrqat::bf16>>;
#endif

void train(lrqat::MatrixView<const float> x, lrqat::MatrixView<float> y) {
  Layer layer(x);
  layer.forward(x, y);
  layer.backward(x, x, y);
  layer.parameters();
  layer.merge().forward(x, y);
}
