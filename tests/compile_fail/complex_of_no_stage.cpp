// SPDX-License-Identifier: MIT
// tests/compile_fail/complex_of_no_stage.cpp: a complex weight of no bits.
// expect: ComplexWeight<Stages, ...>: at least one stage.
#include <lrqat/lrqat.hpp>

#ifdef LRQAT_CONTROL
constexpr std::size_t stages = 1;
#else
constexpr std::size_t stages = 0;
#endif
using Weight = lrqat::ComplexWeight<stages, lrqat::PerTensor, lrqat::ConjugateForm>;

constexpr bool trains = Weight::trains_weight;
