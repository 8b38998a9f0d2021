// SPDX-License-Identifier: MIT
// tests/compile_fail/placement_without_to_grid.cpp: a placement that lacks a member of its concept.
// expect: QuantLinear<...>: the placement does not model lrqat::Placement
#include <lrqat/lrqat.hpp>

struct Mine {
  using policy_kind = lrqat::kind::placement;
  using coupling = lrqat::Decoupled;
  static constexpr bool needs_reals = false;
  template <class V>
  static V base(V weight, V first_scale) {
    return weight / first_scale;
  }
#ifdef LRQAT_CONTROL
  template <class V>
  static V to_grid(V z, V) {
    return z;
  }
#endif
  template <class V>
  static V z_gradient(V weight_gradient, V pass, V scale) {
    return weight_gradient * pass * scale;
  }
};

#ifdef LRQAT_CONTROL
using Layer = lrqat::QuantLinear<lrqat::Int<4>, Mine>;
#else
using Layer = lrqat::QuantLinear<lrqat::Int<4>, Mine>;
#endif

void train(lrqat::MatrixView<const float> x, lrqat::MatrixView<float> y) {
  Layer layer(x);
  layer.forward(x, y);
  layer.backward(x, x, y);
  layer.parameters();
  layer.merge().forward(x, y);
}
