// SPDX-License-Identifier: MIT
// tests/compile_fail/inside_rounding_on_codebook.cpp: unevenly spaced levels have no units to add in.
// expect: adding in index units is meaningless; use WeightDomain.
#include <lrqat/lrqat.hpp>

#ifdef LRQAT_CONTROL
using Policy = lrqat::QuantLinear<lrqat::Codebook<lrqat::Nf4>, lrqat::LowRank<4>, lrqat::WeightDomain>;
#else
using Policy = lrqat::QuantLinear<lrqat::Codebook<lrqat::Nf4>, lrqat::LowRank<4>>;
#endif

void train(lrqat::MatrixView<const float> x, lrqat::MatrixView<float> y) {
  Policy layer(x);
  layer.forward(x, y);
  layer.backward(x, x, y);
  layer.parameters();
}
