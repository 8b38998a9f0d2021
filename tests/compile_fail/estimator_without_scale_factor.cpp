// SPDX-License-Identifier: MIT
// tests/compile_fail/estimator_without_scale_factor.cpp: estimator lacks a member.
// expect: QuantLinear<...>: the estimator does not model lrqat::Estimator
#include <lrqat/lrqat.hpp>

struct Mine {
  using policy_kind = lrqat::kind::estimator;
  template <class V>
  static V pass(V, V, V, V, V) {
    return V(1);
  }
#ifdef LRQAT_CONTROL
  static float scale_factor(std::size_t, float) { return 1.0f; }
#endif
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
