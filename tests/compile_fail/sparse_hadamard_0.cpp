// SPDX-License-Identifier: MIT
// tests/compile_fail/sparse_hadamard_0.cpp: an adapter without coefficients.
// expect: SparseHadamard<Rank>: for rank 0 write NoAdapter.
#include <lrqat/adapter/sparse_hadamard.hpp>

#ifdef LRQAT_CONTROL
using Policy = lrqat::SparseHadamard<1>;
#else
using Policy = lrqat::SparseHadamard<0>;
#endif

static_assert(sizeof(Policy) > 0);
