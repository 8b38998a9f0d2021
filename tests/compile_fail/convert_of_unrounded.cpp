// SPDX-License-Identifier: MIT
// tests/compile_fail/convert_of_unrounded.cpp: soft weights are no integers to convert.
// expect: convert_to<Other>: an Unrounded grid has no codes to keep. Call finalise(layer) first
#include <lrqat/lrqat.hpp>

using namespace lrqat;
#ifdef LRQAT_CONTROL
using Layer = QuantLinear<Int<4>, LowRank<4>, BoundedRounding>;
#else
using Layer = QuantLinear<Unrounded<Int<4>>, LowRank<4>, BoundedRounding>;
#endif
using Other = QuantLinear<Layer::grid, LowRank<8>>;

Other convert(const Layer& layer) { return layer.convert_to<Other>(); }
