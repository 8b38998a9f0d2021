// SPDX-License-Identifier: MIT
// tests/compile_fail/convert_of_salient.cpp: the other layer would lose the salient weights.
// expect: convert_to<Other>: salient weights stay off the grid
#include <lrqat/lrqat.hpp>

#ifdef LRQAT_CONTROL
using Kept = lrqat::NoSalient;
#else
using Kept = lrqat::Salient<>;
#endif
using Layer = lrqat::QuantLinear<lrqat::Int<2>, lrqat::LowRank<4>, Kept>;

auto convert(const Layer& layer) { return layer.convert_to<lrqat::QuantLinear<lrqat::Int<2>>>(); }
