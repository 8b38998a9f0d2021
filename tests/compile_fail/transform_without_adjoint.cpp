// SPDX-License-Identifier: MIT
// tests/compile_fail/transform_without_adjoint.cpp: a transform whose gradient has no way back.
// expect: QuantLinear<...>: the transform does not model lrqat::Transform
#include <lrqat/lrqat.hpp>

#include <algorithm>
#include <span>

struct Reverse {
  using policy_kind = lrqat::kind::transform;
  static constexpr bool changes_basis = true;
  static void apply(std::span<float> x) { std::reverse(x.begin(), x.end()); }
  static void apply_to_weight(std::span<float> row) { std::reverse(row.begin(), row.end()); }
#ifdef LRQAT_CONTROL
  static void apply_adjoint(std::span<float> grad) { std::reverse(grad.begin(), grad.end()); }
#else
  static void apply_transposed(std::span<float>) {}
#endif
};
using Layer = lrqat::QuantLinear<lrqat::Int<4>, lrqat::LowRank<4>, Reverse>;

void train(lrqat::MatrixView<const float> x, lrqat::MatrixView<float> y) {
  Layer layer(x);
  layer.forward(x, y);
  layer.backward(x, x, y);
  layer.parameters();
  layer.merge().forward(x, y);
}
