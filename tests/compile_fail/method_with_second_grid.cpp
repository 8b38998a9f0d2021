// SPDX-License-Identifier: MIT
// tests/compile_fail/method_with_second_grid.cpp: a named method has its grid already.
// expect: QuantLinear<...>: two policies of one kind.
#include <lrqat/lrqat.hpp>

#ifdef LRQAT_CONTROL
using Layer = lrqat::method::LrQat<4, 32>;
#else
using Layer = lrqat::method::LrQat<4, 32, lrqat::UInt<4>>;
#endif

Layer make(lrqat::MatrixView<const float> weight) { return Layer(weight); }
