// SPDX-License-Identifier: MIT
// tests/compile_fail/grid_of_9_bits.cpp: a grid of one's own whose codes do not fit a byte.
// expect: QuantLinear<...>: the grid has codes of more than 8 bits
#include <lrqat/lrqat.hpp>

struct Mine : lrqat::Int<8> {
#ifndef LRQAT_CONTROL
  static constexpr int bits = 9, code_min = -256, code_max = 255;
#endif
};

using Layer = lrqat::QuantLinear<Mine, lrqat::LowRank<2>>;

Layer make(lrqat::MatrixView<const float> weight) { return Layer(weight); }
