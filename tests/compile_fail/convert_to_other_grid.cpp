// SPDX-License-Identifier: MIT
// tests/compile_fail/convert_to_other_grid.cpp: a conversion keeps grid and granularity.
// expect: convert_to<Other>: both layers must have the same grid and granularity
#include <lrqat/lrqat.hpp>

using Layer = lrqat::QuantLinear<lrqat::Int<4>, lrqat::LowRank<4>>;
#ifdef LRQAT_CONTROL
using Other = lrqat::QuantLinear<lrqat::Int<4>, lrqat::Packed, lrqat::LowRank<8>>;
#else
using Other = lrqat::QuantLinear<lrqat::Int<3>, lrqat::Packed, lrqat::LowRank<8>>;
#endif

Other convert(const Layer& layer) { return layer.convert_to<Other>(); }
