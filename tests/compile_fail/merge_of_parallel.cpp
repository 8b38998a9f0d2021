// SPDX-License-Identifier: MIT
// tests/compile_fail/merge_of_parallel.cpp: a branch beside the rounding is not on the grid.
// expect: QuantLinear::merge: a Parallel adapter stays a branch beside the integers
#include <lrqat/lrqat.hpp>

#ifdef LRQAT_CONTROL
using Layer = lrqat::QuantLinear<lrqat::Int<4>, lrqat::Packed, lrqat::LowRank<4>>;
#else
using Layer = lrqat::QuantLinear<lrqat::Int<4>, lrqat::Packed, lrqat::LowRank<4>, lrqat::Parallel>;
#endif

Layer::merged deploy(const Layer& layer) { return layer.merge(); }
