// SPDX-License-Identifier: MIT
// tests/compile_fail/grid_without_bits.cpp: a grid that lacks a constant of its concept.
// expect: QuantLinear<...>: the grid does not model lrqat::Grid
#include <lrqat/lrqat.hpp>

struct Mine {
  using policy_kind = lrqat::kind::grid;
#ifdef LRQAT_CONTROL
  static constexpr int bits = 2;
#endif
  static constexpr int code_min = 0, code_max = 3;
  static constexpr bool has_zero_point = false;
  template <class V>
  static V round(V u) {
    return u;
  }
  template <class V>
  static V clip(V rounded, V) {
    return rounded;
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

using Layer = lrqat::QuantLinear<Mine, lrqat::LowRank<2>>;

Layer make(lrqat::MatrixView<const float> weight) { return Layer(weight); }
