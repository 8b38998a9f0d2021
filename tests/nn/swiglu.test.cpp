// SPDX-License-Identifier: MIT
// nn/swiglu.test.cpp: the gate against its definition, its gradients against differences.
#include <lrqat/nn/swiglu.hpp>

#include <catch2/catch.hpp>
#include <support/finite_difference.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

using lrqat::test::Tensor;

TEST_CASE("swiglu: float equals the definition in double", "[nn]") {
  const Tensor<float> gate(70, 83, 1, 8.0), up(70, 83, 2, 1.0);
  Tensor<float> y(70, 83);
  lrqat::swiglu_forward<float>(gate.view(), up.view(), y.view());
  double worst = 0;
  for (std::size_t i = 0; i < y.values.size(); ++i) {
    const double g = double{gate.values[i]};
    const double exact = g / (1 + std::exp(-g)) * double{up.values[i]};
    worst = std::max(worst, std::abs(double{y.values[i]} - exact) / std::abs(exact));
  }
  // exp within 2 units (4 roundings), a sum, a quotient and a product.
  CHECK(worst <= 7 * 0x1p-24);
}

TEST_CASE("swiglu: extreme gates give zero or the gate, never NaN", "[nn]") {
  Tensor<float> gate(1, 4), up(1, 4, 1.0f), y(1, 4), grad_gate(1, 4), grad_up(1, 4);
  gate.values = {-1e4f, -200.0f, 200.0f, 1e4f};
  const Tensor<float> grad_y(1, 4, 1.0f);
  lrqat::swiglu_forward<float>(gate.view(), up.view(), y.view());
  CHECK(y.values == std::vector<float>{0.0f, 0.0f, 200.0f, 1e4f});
  lrqat::swiglu_backward<float>(gate.view(), up.view(), grad_y.view(), grad_gate.view(),
                                grad_up.view());
  CHECK(grad_gate.values == std::vector<float>{0.0f, 0.0f, 1.0f, 1.0f});
  CHECK(grad_up.values == y.values);
}

TEST_CASE("swiglu: gradients are those of finite differences", "[nn]") {
  Tensor<double> gate(66, 5, 1, 2.0), up(66, 5, 2, 1.0), y(66, 5);
  const Tensor<double> grad_y(66, 5, 3, 1.0);
  const auto loss = [&] {
    lrqat::swiglu_forward<double>(gate.view(), up.view(), y.view());
    return lrqat::test::dot(y.values, grad_y.values);
  };
  Tensor<double> grad_gate(66, 5), grad_up = grad_y;
  lrqat::swiglu_backward<double>(gate.view(), up.view(), grad_up.view(), grad_gate.view(),
                                 grad_up.view());
  CHECK(lrqat::test::worst_gradient_error(loss, gate.values, grad_gate.values) <= 1);
  CHECK(lrqat::test::worst_gradient_error(loss, up.values, grad_up.values) <= 1);
}
