// SPDX-License-Identifier: MIT
// tests/compile_fail/compute_without_multiply.cpp: an arithmetic that lacks a member.
// expect: QuantLinear<...>: the compute policy does not model lrqat::Arithmetic
#include <lrqat/lrqat.hpp>

struct Mine {
  using policy_kind = lrqat::kind::compute;
  static constexpr bool scales_apart = false;
  static void multiply_into(lrqat::kernel::LeftFactor<float> a, lrqat::MatrixView<const float> b,
                            lrqat::MatrixView<float> c) {
    lrqat::kernel::multiply_into(a, b, c);
  }
#ifdef LRQAT_CONTROL
  static void multiply(lrqat::kernel::LeftFactor<float> a, lrqat::MatrixView<const float> b,
                       lrqat::MatrixView<float> c) {
    lrqat::kernel::multiply(a, b, c);
  }
#endif
};

using Layer = lrqat::QuantLinear<lrqat::Int<4>, lrqat::LowRank<2>, Mine>;

void train(lrqat::MatrixView<const float> x, lrqat::MatrixView<float> y) {
  Layer layer(x);
  layer.forward(x, y);
  layer.backward(x, x, y);
  layer.parameters();
  layer.merge().forward(x, y);
}
