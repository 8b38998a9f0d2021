// SPDX-License-Identifier: MIT
// tests/compile_fail/on_grid_of_other_base.cpp: buffers change hands only between alike bases.
// expect: QuantLinear::on_grid<Other>: the base of the other grid is stored differently.
#include <lrqat/lrqat.hpp>

using namespace lrqat;
#ifdef LRQAT_CONTROL
using Wanted = Nested<8, 4>;
#else
using Wanted = Nested<6, 4>;
#endif

void change(QuantLinear<Int<8>, LowRank<4>> layer) { std::move(layer).on_grid<Wanted>(); }
