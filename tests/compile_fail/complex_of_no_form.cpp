// SPDX-License-Identifier: MIT
// tests/compile_fail/complex_of_no_form.cpp: a complex weight that multiplies nothing.
// expect: ComplexWeight<...>: say what the weights multiply: DirectForm, ConjugateForm or both.
#include <lrqat/lrqat.hpp>

#ifdef LRQAT_CONTROL
using Weight = lrqat::ComplexWeight<1, lrqat::PerTensor, lrqat::ConjugateForm>;
#else
using Weight = lrqat::ComplexWeight<1, lrqat::PerTensor>;
#endif

constexpr bool trains = Weight::trains_weight;
