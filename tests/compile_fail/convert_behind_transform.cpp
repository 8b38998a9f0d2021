// SPDX-License-Identifier: MIT
// tests/compile_fail/convert_behind_transform.cpp: a weight in one basis for a layer in another.
// expect: convert_to<Other>: the weight behind a transform is in another basis
#include <lrqat/lrqat.hpp>

#ifdef LRQAT_CONTROL
using Basis = lrqat::Identity;
#else
using Basis = lrqat::Hadamard<>;
#endif
using Layer = lrqat::QuantLinear<lrqat::Int<4>, lrqat::LowRank<4>, Basis>;
using Other = lrqat::QuantLinear<lrqat::Int<4>, lrqat::LowRank<8>>;

Other convert(const Layer& layer) { return layer.convert_to<Other>(); }
