// SPDX-License-Identifier: MIT
// tests/compile_fail/at_bits_of_int8.cpp: codes are rounded before they are laid out for int8.
// expect: at_bits: this layer multiplies codes. Round it first
#include <lrqat/lrqat.hpp>

using namespace lrqat;
using Codes = Input<UInt<8>, PerToken, IntegerZeroPoint>;

auto round(const QuantLinear<Int<8>, LowRank<4>>::merged& merged) {
#ifdef LRQAT_CONTROL
  return at_bits<4>(merged).in<Compute<int8>, Codes>();
#else
  return at_bits<4>(merged.in<Compute<int8>, Codes>());
#endif
}
