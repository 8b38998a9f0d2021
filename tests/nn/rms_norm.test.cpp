// SPDX-License-Identifier: MIT
// nn/rms_norm.test.cpp: the norm against its definition, its gradients against differences.
#include <lrqat/nn/rms_norm.hpp>

#include <catch2/catch.hpp>
#include <support/finite_difference.hpp>

#include <cmath>
#include <vector>

using lrqat::test::Tensor;

TEST_CASE("rms_norm: float equals the definition in double", "[nn]") {
  for (const std::size_t dim : {1u, 5u, 16u, 64u, 83u}) {
    const Tensor<float> x(70, dim, 1, 2.0), weight(1, dim, 2, 1.0);
    Tensor<float> y(70, dim);
    std::vector<float> inverse(70);
    lrqat::rms_norm_forward<float>(x.view(), weight.values, 1e-5f, y.view(), inverse);
    double worst = 0;
    for (std::size_t t = 0; t < 70; ++t) {
      double squares = 0;
      for (std::size_t i = 0; i < dim; ++i) squares += std::pow(double{x.view()(t, i)}, 2);
      const double r =
          1 / std::sqrt(squares / static_cast<double>(dim) + static_cast<double>(1e-5f));
      for (std::size_t i = 0; i < dim; ++i) {
        const double exact = double{x.view()(t, i)} * r * double{weight.values[i]};
        worst = std::max(worst, std::abs(double{y.view()(t, i)} - exact) / std::abs(exact));
      }
    }
    // The sum of dim squares: at most dim roundings, halved by the root; root, quotients, products:
    // 6 more. A rounding is 2^-24.
    CHECK(worst <= (static_cast<double>(dim) / 2 + 6) * 0x1p-24);
  }
}

TEST_CASE("rms_norm: gradients are those of finite differences", "[nn]") {
  constexpr std::size_t tokens = 67, dim = 9;  // two tasks of rows
  Tensor<double> x(tokens, dim, 1, 1.5), weight(1, dim, 2, 1.0), y(tokens, dim);
  const Tensor<double> grad_y(tokens, dim, 3, 1.0);
  std::vector<double> inverse(tokens);
  const auto loss = [&] {
    lrqat::rms_norm_forward<double>(x.view(), weight.values, 1e-5, y.view(), inverse);
    return lrqat::test::dot(y.values, grad_y.values);
  };
  loss();
  Tensor<double> grad_x(tokens, dim, 1.0);  // the gradient is added
  std::vector<double> grad_weight(dim, 1.0);
  lrqat::rms_norm_backward<double>(x.view(), weight.values, inverse, grad_y.view(), grad_x.view(),
                                   grad_weight);
  for (double& g : grad_x.values) g -= 1;
  for (double& g : grad_weight) g -= 1;
  CHECK(lrqat::test::worst_gradient_error(loss, x.values, grad_x.values) <= 1);
  CHECK(lrqat::test::worst_gradient_error(loss, weight.values, grad_weight) <= 1);
}

TEST_CASE("rms_norm: a frozen weight changes nothing else", "[nn]") {
  const Tensor<float> x(5, 8, 1, 1.0), weight(1, 8, 2, 1.0), grad_y(5, 8, 3, 1.0);
  Tensor<float> y(5, 8), with(5, 8), without(5, 8);
  std::vector<float> inverse(5), grad_weight(8);
  lrqat::rms_norm_forward<float>(x.view(), weight.values, 1e-5f, y.view(), inverse);
  lrqat::rms_norm_backward<float>(x.view(), weight.values, inverse, grad_y.view(), with.view(),
                                  grad_weight);
  lrqat::rms_norm_backward<float>(x.view(), weight.values, inverse, grad_y.view(), without.view(),
                                  {});
  CHECK(with.values == without.values);
}

TEST_CASE("rms_norm: errors name the shapes", "[nn]") {
  const Tensor<float> x(5, 8, 1, 1.0);
  Tensor<float> y(5, 8);
  std::vector<float> inverse(5), weight(7);
  CHECK_THROWS_WITH(lrqat::rms_norm_forward<float>(x.view(), weight, 1e-5f, y.view(), inverse),
                    Catch::Contains("x is (5, 8)") && Catch::Contains("weight has 7"));
}
