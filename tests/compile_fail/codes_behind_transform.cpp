// SPDX-License-Identifier: MIT
// tests/compile_fail/codes_behind_transform.cpp: codes for a file that does not know of the transform.
// expect: merged_weight: the codes are those of a weight behind a transform of x
#include <lrqat/lrqat.hpp>

#ifdef LRQAT_CONTROL
using Basis = lrqat::Identity;
#else
using Basis = lrqat::Hadamard<>;
#endif
using Layer = lrqat::QuantLinear<lrqat::Int<4>, lrqat::LowRank<4>, Basis>;

lrqat::MergedWeight codes_of(const Layer& layer) { return lrqat::merged_weight(layer.merge()); }
