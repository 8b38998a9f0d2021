// SPDX-License-Identifier: MIT
// tests/optim/gradient_disorder.test.cpp: turns of gradients, counted by hand.
#include <lrqat/optim/gradient_disorder.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <limits>
#include <vector>

namespace lrqat::test::gradient_disorder {
namespace {

double disorder(const std::vector<float>& sequence) {
  GradientDisorder disorder(1);
  for (const float gradient : sequence) disorder.observe(std::vector<float>{gradient});
  return disorder.of(0);
}

TEST_CASE("GradientDisorder: turns over pairs of directions, by hand", "[optim]") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float inf = std::numeric_limits<float>::infinity();
  CHECK(disorder({1, 2, 3, 4}) == 0.0);
  CHECK(disorder({1, -1, 1, -1, 1}) == 1.0);
  CHECK(disorder({1, 1, -1, -1, -1}) == 0.25);
  CHECK(disorder({-1, 2, 3, -1e-30f}) == Approx(2.0 / 3));
  CHECK(disorder({1, 0, -0.0f, -1, nan, -2}) == 0.5);  // three directions, one turn
  CHECK(disorder({inf, -inf}) == 1.0);
}

TEST_CASE("GradientDisorder: of fewer than two directions nothing is known", "[optim]") {
  CHECK(disorder({}) == 1.0);
  CHECK(disorder({3}) == 1.0);
  CHECK(disorder({0, 0, 3, 0, 0}) == 1.0);
  CHECK(disorder({0, 3, 0, 3}) == 0.0);
}

TEST_CASE("GradientDisorder: each number has its own; a window ends; what is kept is all",
          "[optim]") {
  GradientDisorder disorder(2);
  disorder.observe(std::vector<float>{1, 1});
  disorder.observe(std::vector<float>{-1, 1});
  CHECK(disorder.of(0) == 1.0);
  CHECK(disorder.of(1) == 0.0);
  GradientDisorder other(2);
  std::copy(disorder.numbers().begin(), disorder.numbers().end(), other.numbers().begin());
  for (GradientDisorder* each : {&disorder, &other}) {
    each->observe(std::vector<float>{-1, -1});
    CHECK(each->of(0) == 0.5);
    CHECK(each->of(1) == 0.5);
  }
  disorder.forget();
  disorder.observe(std::vector<float>{1, 1});  // no turn from the window before
  disorder.observe(std::vector<float>{1, 1});
  CHECK(disorder.of(0) == 0.0);
  CHECK_THROWS_WITH(disorder.observe(std::vector<float>{1}), Catch::Contains("1 gradients of 2"));
}

}  // namespace
}  // namespace lrqat::test::gradient_disorder
