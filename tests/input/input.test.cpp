// SPDX-License-Identifier: MIT
// tests/input/input.test.cpp: activations quantized token by token.
#include <lrqat/input/input.hpp>

#include <lrqat/input/no_input.hpp>

#include <catch2/catch.hpp>
#include <support/matrix.hpp>

#include <cmath>
#include <limits>

namespace lrqat::test {
namespace {

template <class In>
std::vector<float> quantized(const std::vector<float>& x) {
  std::vector<float> x_hat(x.size());
  In::forward(x, x_hat);
  return x_hat;
}

template <class In>
std::vector<float> passed(const std::vector<float>& x) {
  std::vector<float> gradient(x.size(), 1.0f);
  In::backward(x, gradient);
  return gradient;
}

template <class G>
using RealIn = Input<G>;
template <class G>
using IntegerIn = Input<G, PerToken, IntegerZeroPoint>;

TEST_CASE("Input: half a step of error at most, end points met", "[input]") {
  const std::vector<float> x = random_matrix(1, 100, 2.0f, 1).values;
  const auto check = [&]<class In>() {
    const auto token = In::observe(x);
    const std::vector<float> x_hat = quantized<In>(x);
    float worst = 0, extreme = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      worst = std::max(worst, std::fabs(x_hat[i] - x[i]));
      extreme = std::max(extreme, std::fabs(x[i]));
    }
    // An un-rounded zero point shifts a code by less than one step out of its range, where it is
    // clipped to the end point itself: half a step more at the ends.
    CHECK(worst <= 1.0f * token.scale + 4 * 0x1p-23f * extreme);
  };
  check.template operator()<RealIn<UInt<8>>>();
  check.template operator()<RealIn<UInt<4>>>();
  check.template operator()<IntegerIn<UInt<8>>>();
  check.template operator()<IntegerIn<UInt<4>>>();
}

TEST_CASE("Input: at most 2^b values a token", "[input]") {
  const std::vector<float> x = random_matrix(1, 500, 1.0f, 2).values;
  std::vector<float> values = quantized<IntegerIn<UInt<4>>>(x);
  std::sort(values.begin(), values.end());
  CHECK(std::unique(values.begin(), values.end()) - values.begin() <= 16);
}

TEST_CASE("Input: ties to even, before the zero point is added", "[input]") {
  // Range [-4, 11]: scale 1, zero point 4 in both modes.
  const std::vector<float> x{-4.0f, 11.0f, 0.5f, 1.5f, 2.5f, -0.5f, -1.5f};
  const std::vector<float> expected{-4.0f, 11.0f, 0.0f, 2.0f, 2.0f, 0.0f, -2.0f};
  CHECK(quantized<RealIn<UInt<4>>>(x) == expected);
  CHECK(quantized<IntegerIn<UInt<4>>>(x) == expected);
  CHECK(passed<RealIn<UInt<4>>>(x) == std::vector<float>(x.size(), 1.0f));
}

TEST_CASE("Input: a real zero point may be negative, an integer one saturates", "[input]") {
  const std::vector<float> positive{100.0f, 101.0f, 115.0f};  // scale 1, min / scale = 100
  CHECK(RealIn<UInt<4>>::observe(positive).zero_point == -100.0f);
  CHECK(quantized<RealIn<UInt<4>>>(positive) == positive);
  CHECK(IntegerIn<UInt<4>>::observe(positive).zero_point == 0.0f);
  CHECK(quantized<IntegerIn<UInt<4>>>(positive) == std::vector<float>(3, 15.0f));
  CHECK(passed<IntegerIn<UInt<4>>>(positive) == std::vector<float>(3, 0.0f));
  const std::vector<float> negative{-100.0f, -101.0f, -115.0f};
  CHECK(IntegerIn<UInt<4>>::observe(negative).zero_point == 15.0f);
  CHECK(quantized<IntegerIn<UInt<4>>>(negative) == std::vector<float>(3, -15.0f));
}

TEST_CASE("Input: the gradient passes where the code is inside, ends included", "[input]") {
  // Range [-1.5, 13.5], scale 1, zero point 1.5: round(13.5) + 1.5 = 15.5 is clipped.
  const std::vector<float> x{-1.5f, 13.5f, 0.0f, 13.4f};
  CHECK(RealIn<UInt<4>>::observe(x).zero_point == 1.5f);
  // round(-1.5) = -2, code -0.5: clipped too.
  CHECK(passed<RealIn<UInt<4>>>(x) == std::vector<float>{0.0f, 0.0f, 1.0f, 1.0f});
  CHECK(quantized<RealIn<UInt<4>>>(x) == std::vector<float>{-1.5f, 13.5f, 0.0f, 13.0f});
}

TEST_CASE("Input: constant, zero and empty tokens are finite", "[input]") {
  for (const float value : {0.0f, 1.0f, -3.0f, 1e-20f, 1e20f}) {
    INFO("constant " << value);
    const std::vector<float> x(5, value);
    for (const auto& x_hat : {quantized<RealIn<UInt<8>>>(x), quantized<IntegerIn<UInt<8>>>(x),
                              quantized<RealIn<UInt<4>>>(x), quantized<IntegerIn<UInt<4>>>(x)})
      for (const float got : x_hat) CHECK(std::isfinite(got));
  }
  CHECK(quantized<RealIn<UInt<8>>>({0.0f, 0.0f}) == std::vector<float>{0.0f, 0.0f});
  CHECK(quantized<RealIn<UInt<8>>>({}).empty());
  CHECK(passed<RealIn<UInt<8>>>({}).empty());
}

TEST_CASE("Input: what is no number stays no number, wherever it stands", "[input]") {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  for (const float bad : {std::nanf(""), infinity, -infinity})
    for (std::size_t at = 0; at < 3; ++at) {
      INFO(bad << " at " << at);
      std::vector<float> x{1.0f, -2.0f, 3.0f};
      x[at] = bad;
      CHECK_FALSE(std::isfinite(quantized<RealIn<UInt<8>>>(x)[at]));
      CHECK_FALSE(std::isfinite(quantized<IntegerIn<UInt<8>>>(x)[at]));
    }
}

TEST_CASE("Input: in place gives the same", "[input]") {
  const std::vector<float> x = random_matrix(1, 33, 1.0f, 3).values;
  std::vector<float> in_place = x;
  RealIn<UInt<8>>::forward(in_place, in_place);
  CHECK(in_place == quantized<RealIn<UInt<8>>>(x));
}

TEST_CASE("NoInput: does not quantize", "[input]") { STATIC_REQUIRE_FALSE(NoInput::quantizes); }

}  // namespace
}  // namespace lrqat::test
