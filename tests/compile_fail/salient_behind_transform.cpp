// SPDX-License-Identifier: MIT
// tests/compile_fail/salient_behind_transform.cpp: a set of weights of another basis.
// expect: salient_layer<Layer>: behind a transform the weights are in another basis than the set.
#include <lrqat/lrqat.hpp>

#ifdef LRQAT_CONTROL
using Basis = lrqat::Identity;
#else
using Basis = lrqat::Hadamard<32>;
#endif
using Layer = lrqat::QuantLinear<lrqat::Int<4>, lrqat::Salient<>, Basis>;

void start(lrqat::MatrixView<const float> weight) {
  lrqat::salient_layer<Layer>(weight, lrqat::salient_by_magnitude(weight, 0.1));
}
