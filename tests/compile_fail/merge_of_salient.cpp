// SPDX-License-Identifier: MIT
// tests/compile_fail/merge_of_salient.cpp: codes of one width do not hold salient weights.
// expect: QuantLinear::merge: salient weights stay off the grid, so its codes do not hold them.
#include <lrqat/lrqat.hpp>

using Layer = lrqat::method::PbLlm<>;

auto deploy(const Layer& layer) {
#ifdef LRQAT_CONTROL
  return layer.dense();
#else
  return layer.merge();
#endif
}
