// SPDX-License-Identifier: MIT
// tests/initializer/smooth_quant.test.cpp: activations and weights meet half way.
#include <lrqat/initializer/smooth_quant.hpp>

#include <catch2/catch.hpp>
#include <support/matrix.hpp>

#include <cmath>
#include <limits>
#include <vector>

namespace lrqat::test {
namespace {

using Catch::Matchers::Contains;
using Weights = std::vector<MatrixView<const float>>;

std::vector<float> some_max_abs(std::size_t in) {
  std::vector<float> values(in);
  const CounterRng random(1, 2);
  for (std::size_t j = 0; j < in; ++j) values[j] = std::exp(3 * random.normal(j));
  return values;
}

TEST_CASE("SmoothQuant: alpha 1/2 gives activations and weights one maximum", "[initializer]") {
  for (const std::size_t in : {1u, 13u, 64u}) {
    const std::vector<float> x = some_max_abs(in);
    const Matrix weight = random_matrix(30, in, 0.1f, 3);
    const std::vector<float> scale = smooth_quant_scale(x, Weights{weight.view()});
    Matrix scaled(30, in);
    scale_columns(weight.view(), scale, scaled.view());
    const std::vector<float> w = max_abs_of_columns(Weights{scaled.view()});
    // A scale is rounded once, x / s and W s once more each: 4 * 2^-24 apart.
    for (std::size_t j = 0; j < in; ++j)
      CHECK(std::fabs(x[j] / scale[j] - w[j]) <= 4 * 0x1p-24f * w[j]);
  }
}

TEST_CASE("SmoothQuant: x W^T is what it was", "[initializer]") {
  const Matrix weight = random_matrix(7, 13, 0.1f, 4), x = random_matrix(5, 13, 1.0f, 5);
  const std::vector<float> scale = smooth_quant_scale(some_max_abs(13), Weights{weight.view()}, 0.85);
  Matrix scaled(7, 13), back(7, 13);
  scale_columns(weight.view(), scale, scaled.view());
  unscale_columns(scaled.view(), scale, back.view());
  for (std::size_t t = 0; t < 5; ++t)
    for (std::size_t i = 0; i < 7; ++i) {
      double before = 0, after = 0, size = 0;
      for (std::size_t j = 0; j < 13; ++j) {
        const double term = static_cast<double>(x(t, j)) * static_cast<double>(weight(i, j));
        before += term;
        size += std::fabs(term);
        after += static_cast<double>(x(t, j) / scale[j]) * static_cast<double>(scaled(i, j));
      }
      CHECK(std::fabs(after - before) <= 2.001 * 0x1p-24 * size);  // two roundings of each product
    }
  for (std::size_t k = 0; k < back.values.size(); ++k)
    CHECK(std::fabs(back.values[k] - weight.values[k]) <=
          2.001f * 0x1p-24f * std::fabs(weight.values[k]));
}

TEST_CASE("SmoothQuant: alpha decides who is relieved, over all weights of the inputs",
          "[initializer]") {
  const std::vector<float> x{16.0f};
  const Matrix small(2, 1, 0.25f), large(3, 1, -4.0f);
  const Weights both{small.view(), large.view()};
  CHECK(smooth_quant_scale(x, both, 1.0)[0] == 16.0f);
  CHECK(smooth_quant_scale(x, both, 0.0)[0] == 0.25f);  // 1 / max|W|
  CHECK(smooth_quant_scale(x, both, 0.5)[0] == 2.0f);
}

TEST_CASE("SmoothQuant: dead inputs and dead weights have a floor", "[initializer]") {
  const Matrix weight(2, 2);
  const std::vector<float> scale = smooth_quant_scale(std::vector<float>{0.0f, 1.0f},
                                                      Weights{weight.view()});
  CHECK(scale[0] == 1.0f);
  CHECK(scale[1] == Approx(1 / std::sqrt(1e-5)));
}

TEST_CASE("SmoothQuant: one clear error for each thing that does not fit", "[initializer]") {
  Matrix weight(2, 2, 1.0f);
  const Weights weights{weight.view()};
  const float nan = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_WITH(smooth_quant_scale(std::vector<float>{1, nan}, weights),
                    Contains("max |x| of input 1 is nan"));
  CHECK_THROWS_WITH(smooth_quant_scale(std::vector<float>{1}, weights),
                    Contains("1 activations meet 2 columns"));
  CHECK_THROWS_WITH(smooth_quant_scale(std::vector<float>{1, 1}, weights, 1.5),
                    Contains("alpha is 1.5"));
  CHECK_THROWS_WITH(smooth_quant_scale(std::vector<float>{1, 1}, Weights{}), Contains("no weight"));
  weight(1, 0) = nan;
  CHECK_THROWS_WITH(smooth_quant_scale(std::vector<float>{1, 1}, weights),
                    Contains("weight (1, 0) is not finite"));
}

}  // namespace
}  // namespace lrqat::test
