// SPDX-License-Identifier: MIT
// tests/compile_fail/branch_beside_input.cpp: layer and branch would read different inputs.
// expect: BranchedLinear: the layer quantizes its input for itself
#include <lrqat/lrqat.hpp>

#ifdef LRQAT_CONTROL
using Policy = lrqat::method::QvGen<4, 8>;
#else
using Policy = lrqat::method::QvGen<4, 8, lrqat::Input<lrqat::UInt<8>>>;
#endif

std::size_t outputs(const Policy& layer) { return layer.out_features(); }
