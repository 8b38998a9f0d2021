// SPDX-License-Identifier: MIT
// tests/compile_fail/penalty_on_salient.cpp: a pull to integers on weights that are off them.
// expect: add_rounding_penalty: salient weights stay off the grid
#include <lrqat/lrqat.hpp>

#ifdef LRQAT_CONTROL
using Kept = lrqat::NoSalient;
#else
using Kept = lrqat::Salient<>;
#endif
using Layer = lrqat::QuantLinear<lrqat::Int<4>, lrqat::LowRank<4>, Kept>;

double pull(Layer& layer) { return lrqat::add_rounding_penalty(layer, 0.1f, 2.0f); }
