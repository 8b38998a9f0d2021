// SPDX-License-Identifier: MIT
// tests/compile_fail/trust_without_step.cpp: errors in steps on a grid that does not say that it has one.
// expect: QuantLinear<...>: Trust measures errors in steps of the grid, which this grid has not.
#include <lrqat/lrqat.hpp>

struct OwnGrid {
  using policy_kind = lrqat::kind::grid;
  static constexpr int bits = 2, code_min = 0, code_max = 3;
  static constexpr bool has_zero_point = false;
#ifdef LRQAT_CONTROL
  static constexpr bool levels_are_even = true;
#else
  // Who knows where its levels are?
#endif
  template <class V>
  static V round(V u) {
    return lrqat::round_half_even(u);
  }
  template <class V>
  static V clip(V rounded, V) {
    return lrqat::clamp(rounded, V(0), V(3));
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
using Layer = lrqat::QuantLinear<OwnGrid, lrqat::LowRank<4>, lrqat::Trust<>>;

void train(lrqat::MatrixView<const float> x, lrqat::MatrixView<float> y) {
  Layer layer(x);
  layer.forward(x, y);
  layer.backward(x, x, y);
  layer.parameters();
  layer.merge().forward(x, y);
}
