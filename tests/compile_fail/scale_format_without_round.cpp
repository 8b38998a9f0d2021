// SPDX-License-Identifier: MIT
// tests/compile_fail/scale_format_without_round.cpp: scale format lacks a member.
// expect: QuantLinear<...>: the scale format does not model lrqat::ScaleFormatOf
#include <lrqat/lrqat.hpp>

struct Mine {
  using policy_kind = lrqat::kind::scale_format;
  explicit Mine(const lrqat::QuantOptions&) {}
  float floor() const { return 0.5f; }
#ifdef LRQAT_CONTROL
  template <class G>
  float round(float scale, float) const {
    return scale;
  }
#endif
};

using Layer = lrqat::QuantLinear<lrqat::Int<4>, Mine>;

void train(lrqat::MatrixView<const float> x, lrqat::MatrixView<float> y) {
  Layer layer(x);
  layer.forward(x, y);
  layer.backward(x, x, y);
  layer.parameters();
  layer.merge().forward(x, y);
}
