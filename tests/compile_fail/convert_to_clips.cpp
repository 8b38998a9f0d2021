// SPDX-License-Identifier: MIT
// tests/compile_fail/convert_to_clips.cpp: scales for a layer that makes its own from clips.
// expect: convert_to<Other>: the other layer's scales follow from clips of its weights' range
#include <lrqat/lrqat.hpp>

#ifdef LRQAT_CONTROL
using Trained = lrqat::ScaleOnly;
#else
using Trained = lrqat::ClipsOnly;
#endif
using Layer = lrqat::QuantLinear<lrqat::UInt<4>, lrqat::WeightDomain, lrqat::LowRank<4>>;
using Other = lrqat::QuantLinear<lrqat::UInt<4>, lrqat::WeightDomain, Trained>;

auto convert(const Layer& layer) { return layer.convert_to<Other>(); }
