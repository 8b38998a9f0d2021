// SPDX-License-Identifier: MIT
// tests/input/dynamic_input.test.cpp: tokens quantized like groups of weights, also behind a transform.
#include <lrqat/input/dynamic_input.hpp>

#include <lrqat/grid/ternary.hpp>
#include <lrqat/initializer/mean_magnitude.hpp>
#include <lrqat/input/transformed_input.hpp>
#include <lrqat/transform/hadamard.hpp>

#include <catch2/catch.hpp>
#include <support/matrix.hpp>

#include <cmath>
#include <limits>
#include <set>

namespace lrqat::test {
namespace {

template <class In>
std::vector<float> fake_quantized(const std::vector<float>& x) {
  std::vector<float> x_hat(x.size(), -77.0f);
  In::forward(x, x_hat);
  return x_hat;
}

template <class In>
std::vector<float> gradient(const std::vector<float>& x, std::vector<float> grad) {
  In::backward(x, grad);
  return grad;
}

TEST_CASE("RmsInput: levels of the grid at the token's root mean square", "[input]") {
  using G = MidRise<3>;
  for (const std::size_t count : {1u, 15u, 16u, 97u}) {
    const std::vector<float> x = random_matrix(1, count, 2.0f, count).values;
    const float scale = GaussianRms::choose<G>(x).scale;
    const std::vector<float> x_hat = fake_quantized<RmsInput<G>>(x);
    const std::vector<float> mask = gradient<RmsInput<G>>(x, std::vector<float>(count, 1.0f));
    for (std::size_t i = 0; i < count; ++i) {
      const float level = G::clip(G::round(x[i] / scale), 0.0f);
      CHECK(x_hat[i] == scale * level);
      CHECK(mask[i] == (std::fabs(level - x[i] / scale) <= 0.5f ? 1.0f : 0.0f));
      if (std::fabs(x[i]) <= 3.5f * scale) CHECK(mask[i] == 1.0f);
    }
    std::vector<float> in_place = x;
    RmsInput<G>::forward(in_place, in_place);
    CHECK(in_place == x_hat);
  }
}

TEST_CASE("RmsInput: an outlier gets no gradient", "[input]") {
  std::vector<float> x(64, 0.1f);
  x[9] = 100.0f;
  const std::vector<float> mask = gradient<RmsInput<MidRise<4>>>(x, std::vector<float>(64, 2.0f));
  for (std::size_t i = 0; i < 64; ++i) CHECK(mask[i] == (i == 9 ? 0.0f : 2.0f));
}

TEST_CASE("SymmetricInput: the largest value is met, nothing is clipped", "[input]") {
  for (const std::size_t count : {1u, 17u, 130u}) {
    const std::vector<float> x = random_matrix(1, count, 3.0f, count).values;
    const std::vector<float> x_hat = fake_quantized<SymmetricInput<4>>(x);
    float most = 0;
    for (const float value : x) most = std::max(most, std::fabs(value));
    for (std::size_t i = 0; i < count; ++i) {
      CHECK(std::fabs(x_hat[i] - x[i]) <= most / 14 * (1 + 0x1p-20f));
      if (std::fabs(x[i]) == most) CHECK(std::fabs(x_hat[i] - x[i]) <= most * 0x1p-22f);
    }
    CHECK(gradient<SymmetricInput<4>>(x, x) == x);
    CHECK(std::set<float>(x_hat.begin(), x_hat.end()).size() <= 15);
  }
  CHECK(fake_quantized<SymmetricInput<8>>({0.0f, 0.0f}) == std::vector<float>{0.0f, 0.0f});
  CHECK(fake_quantized<SymmetricInput<8>>({}).empty());
}

template <class In>
void check_codes() {
  for (const std::size_t count : {1u, 15u, 16u, 63u, 64u, 65u, 200u}) {
    const std::vector<float> x = random_matrix(1, count, 1.0f, count).values;
    std::vector<std::uint8_t> codes(count, 255);
    const auto token = In::quantize(x, codes);
    const std::vector<float> x_hat = fake_quantized<In>(x);
    for (std::size_t i = 0; i < count; ++i)
      CHECK(token.scale * (static_cast<float>(codes[i]) - token.zero_point) == x_hat[i]);
    for (const float bad :
         {std::nanf(""), std::numeric_limits<float>::infinity(), -1.0f / 0.0f}) {
      std::vector<float> broken = x;
      broken[count / 2] = bad;
      CHECK(std::isnan(In::quantize(broken, codes).scale));
    }
  }
}

TEST_CASE("DynamicInput: codes in bytes stand for the same values", "[input]") {
  check_codes<SymmetricInput<8>>();
  check_codes<SymmetricInput<2>>();
  check_codes<DynamicInput<Ternary, TwnScale>>();
  check_codes<TransformedInput<Hadamard<>, SymmetricInput<8>>>();
  STATIC_REQUIRE_FALSE(IntegerInput<RmsInput<MidRise<4>>>);
  STATIC_REQUIRE_FALSE(IntegerInput<TransformedInput<Hadamard<>>>);
}

TEST_CASE("DynamicInput: what is no number stays none", "[input]") {
  std::vector<float> x{1.0f, -2.0f, std::nanf("")};
  CHECK(std::isnan(fake_quantized<SymmetricInput<8>>(x)[2]));
  CHECK(std::isnan(fake_quantized<RmsInput<MidRise<4>>>(x)[2]));
}

TEST_CASE("TransformedInput: quantizes T x and takes the masked gradient back", "[input]") {
  using In = RmsInput<MidRise<2>>;
  using Both = TransformedInput<Hadamard<>, In>;
  const std::vector<float> x = random_matrix(1, 160, 1.0f, 4).values;
  const std::vector<float> grad = random_matrix(1, 160, 1.0f, 5).values;
  std::vector<float> rotated = x;
  Hadamard<>::apply(rotated);
  CHECK(fake_quantized<Both>(x) == fake_quantized<In>(rotated));
  std::vector<float> expected = gradient<In>(rotated, grad);
  CHECK(expected != grad);  // something is masked
  Hadamard<>::apply_adjoint(expected);
  CHECK(gradient<Both>(x, grad) == expected);

  CHECK(fake_quantized<TransformedInput<Hadamard<>>>(x) == rotated);
  expected = grad;
  Hadamard<>::apply_adjoint(expected);
  CHECK(gradient<TransformedInput<Hadamard<>>>(x, grad) == expected);
}

}  // namespace
}  // namespace lrqat::test
