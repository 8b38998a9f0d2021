// SPDX-License-Identifier: MIT
// tests/compile_fail/int8_on_own_levels.cpp: products of codes on a grid that does not say that
// its levels are its codes.
// expect: MergedLinear: Compute<int8> multiplies codes, so that level(code, z) must be code - z.
#include <lrqat/lrqat.hpp>

struct OwnGrid {
  using policy_kind = lrqat::kind::grid;
  static constexpr int bits = 3, code_min = -4, code_max = 3;
  static constexpr bool has_zero_point = false;
#ifdef LRQAT_CONTROL
  static constexpr bool levels_are_integers = true;
#endif
  template <class V>
  static V round(V u) {
    return lrqat::round_half_even(u);
  }
  template <class V>
  static V clip(V rounded, V) {
    return lrqat::clamp(rounded, V(-4), V(3));
  }
  template <class V>
  static int code(V level, V) {
    return static_cast<int>(level);
  }
  template <class V>
  static V level(int code, V) {
    return static_cast<V>(code);
  }
};

void infer(const lrqat::MergedLinear<OwnGrid>& layer, lrqat::MatrixView<const float> x,
           lrqat::MatrixView<float> y) {
  using Bytes = lrqat::Input<lrqat::UInt<8>, lrqat::PerToken, lrqat::IntegerZeroPoint>;
  layer.in<lrqat::Compute<lrqat::int8>, Bytes>().forward(x, y);
}
