// SPDX-License-Identifier: MIT
// tests/compile_fail/salient_layer_without_salient.cpp: a set for a layer that has no room for it.
// expect: salient_layer<Layer>: the layer keeps every weight on its grid. Add Salient<>
#include <lrqat/lrqat.hpp>

#ifdef LRQAT_CONTROL
using Layer = lrqat::QuantLinear<lrqat::Int<4>, lrqat::Salient<>>;
#else
using Layer = lrqat::QuantLinear<lrqat::Int<4>>;
#endif

void start(lrqat::MatrixView<const float> weight) {
  lrqat::salient_layer<Layer>(weight, lrqat::salient_by_magnitude(weight, 0.1));
}
