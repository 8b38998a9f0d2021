// SPDX-License-Identifier: MIT
// tests/compile_fail/merge_of_unrounded.cpp: soft weights have no codes.
// expect: QuantLinear::merge: an Unrounded grid has no codes. Call finalise(layer) first
#include <lrqat/method/ada_round.hpp>

using Layer = lrqat::method::AdaRound<4>;

auto deploy(const Layer& layer) {
#ifdef LRQAT_CONTROL
  return lrqat::finalise(layer).merge();
#else
  return layer.merge();
#endif
}
