// SPDX-License-Identifier: MIT
// tests/compile_fail/salient_gptq_of_measured.cpp: scales that would be measured away.
// expect: salient_gptq_layer<Layer>: the layer has salient weights, no transform and scales that are not
#include <lrqat/lrqat.hpp>

#include <lrqat/initializer/salient_gptq.hpp>

#ifdef LRQAT_CONTROL
using Layer = lrqat::method::PbLlmPostTraining<>;
#else
using Layer = lrqat::method::PbLlm<>;
#endif

void start(lrqat::MatrixView<const float> weight, const lrqat::GptqFactor& factor) {
  lrqat::salient_gptq_layer<Layer>(weight, factor, lrqat::salient_by_magnitude(weight, 0.1));
}
