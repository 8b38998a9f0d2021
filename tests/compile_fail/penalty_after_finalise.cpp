// SPDX-License-Identifier: MIT
// tests/compile_fail/penalty_after_finalise.cpp: what is rounded for good has no soft rounding left.
// expect: add_rounding_penalty: no adapter learns inside this layer's rounding. Call it before finalise()
#include <lrqat/method/ada_round.hpp>

double penalty(lrqat::method::AdaRound<4>& layer) {
#ifdef LRQAT_CONTROL
  return lrqat::add_rounding_penalty(layer, 0.01f, 2.0f);
#else
  auto hard = lrqat::finalise(layer);
  return lrqat::add_rounding_penalty(hard, 0.01f, 2.0f);
#endif
}
