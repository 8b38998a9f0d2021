// SPDX-License-Identifier: MIT
// tests/compile_fail/merge_of_qlora.cpp: the sum of a codebook's level and a branch is off the table.
// expect: QuantLinear::merge: a Parallel adapter stays a branch beside the integers
#include <lrqat/lrqat.hpp>

#ifdef LRQAT_CONTROL
using Policy = lrqat::QuantLinear<lrqat::Codebook<lrqat::Nf4>, lrqat::LowRank<4>, lrqat::WeightDomain>;
#else
using Policy = lrqat::method::Qlora<4>;
#endif

Policy::merged deploy(const Policy& layer) { return layer.merge(); }
