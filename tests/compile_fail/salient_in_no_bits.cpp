// SPDX-License-Identifier: MIT
// tests/compile_fail/salient_in_no_bits.cpp: salient weights have codes too.
// expect: Salient<G>: salient weights have codes of 1 to 8 bits.
#include <lrqat/lrqat.hpp>

#ifdef LRQAT_CONTROL
using Kept = lrqat::Salient<lrqat::UInt<8>>;
#else
using Kept = lrqat::Salient<lrqat::Unquantized>;
#endif

constexpr bool keeps = Kept::keeps;
