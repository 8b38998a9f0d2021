// SPDX-License-Identifier: MIT
// tests/placement/bounded_rounding.test.cpp: between two integers, by AdaRound's rectified sigmoid.
#include <lrqat/placement/bounded_rounding.hpp>

#include <lrqat/core/rng.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace lrqat {
namespace {

/// h(V) = clip(1.2 sigmoid(V) - 0.1, 0, 1) and its inverse, in double.
double rectified_sigmoid(double v) {
  return std::clamp(1.2 / (1.0 + std::exp(-v)) - 0.1, 0.0, 1.0);
}
double first_v(double h) { return std::log((h + 0.1) / (1.1 - h)); }

const std::vector<float> bases = [] {
  std::vector<float> all{0.0f, -0.0f, 0.5f, -0.5f, 6.9375f, -7.9375f, 127.5f, -8.0f, 1e-6f, -1e-6f};
  const CounterRng random(1, 1);
  for (std::uint64_t i = 0; i < 300; ++i) all.push_back(16.0f * random.uniform(i) - 8.0f);
  for (int byte = -128; byte < 128; ++byte)
    all.push_back(static_cast<float>(byte) / 16.0f);  // Q4.4
  return all;
}();

TEST_CASE("BoundedRounding: without a delta the value is the base to the bit", "[placement]") {
  for (const float phi : bases) {
    CHECK(BoundedRounding::join(phi, 0.0f) == phi);
    CHECK(BoundedRounding::join(phi, -0.0f) == phi);
  }
}

TEST_CASE("BoundedRounding: the value is floor(phi) + h(V0 + delta)", "[placement]") {
  const CounterRng random(2, 2);
  for (std::size_t i = 0; i < bases.size(); ++i)
    for (std::uint64_t k = 0; k < 20; ++k) {
      const float phi = bases[i], delta = 2.5f * random.normal(20 * i + k);
      const double n = std::floor(static_cast<double>(phi)), h = static_cast<double>(phi) - n;
      const double expected = n + rectified_sigmoid(first_v(h) + static_cast<double>(delta));
      const float u = BoundedRounding::join(phi, delta);
      INFO(phi << " moved by " << delta);
      // dh/dd = (0.36 - t^2) 0.6 / (0.6 + t d)^2 is up to 5.7, at t = -1/2 and d = 0.984, where h
      // reaches its end: that much of the tangent's 1e-7, and of six roundings of numbers up to 1;
      // one more is of the sum with phi.
      CHECK(std::fabs(static_cast<double>(u) - expected) <=
            5.7 * (1e-7 + 6 * 0x1p-24) + (std::fabs(n) + 1) * 0x1p-24);
      CHECK((u >= std::floor(phi) && u <= std::floor(phi) + 1.0f));
    }
}

TEST_CASE("BoundedRounding: a large delta reaches either integer and no further", "[placement]") {
  for (const float phi : bases)
    for (const float delta : {4.8f, 100.0f, std::numeric_limits<float>::infinity()}) {
      CHECK(BoundedRounding::join(phi, delta) == std::floor(phi) + 1.0f);
      CHECK(BoundedRounding::join(phi, -delta) == std::floor(phi));
    }
}

TEST_CASE("BoundedRounding: more delta is never less weight", "[placement]") {
  for (const float phi : {-0.5f, 0.0625f, 0.3f, 0.9375f}) {
    float last = BoundedRounding::join(phi, -6.0f);
    for (float delta = -6.0f; delta <= 6.0f; delta += 0x1p-5f) {
      const float u = BoundedRounding::join(phi, delta);
      CHECK(u >= last);
      last = u;
    }
  }
}

TEST_CASE("BoundedRounding: V = 0 is the middle of the cell, whichever the base", "[placement]") {
  for (const float phi : bases) {
    const double h = static_cast<double>(phi) - std::floor(static_cast<double>(phi));
    const float n = std::floor(phi);
    // Away from V = 0 by more than rounding, u is on the same side of the middle as V of zero.
    const auto delta = static_cast<float>(-first_v(h));
    CHECK(BoundedRounding::join(phi, delta + 1e-3f) > n + 0.5f);
    CHECK(BoundedRounding::join(phi, delta - 1e-3f) < n + 0.5f);
  }
}

TEST_CASE("BoundedRounding: the slope is dh/dV strictly inside, 0 at the ends", "[placement]") {
  for (double v = -2.39; v < 2.39; v += 0.01) {
    const double h = rectified_sigmoid(v), sigmoid = (h + 0.1) / 1.2;
    const double expected = 1.2 * sigmoid * (1.0 - sigmoid);
    for (const float n : {0.0f, 5.0f, -8.0f}) {
      const float u = n + static_cast<float>(h);
      // u is off by half a unit of 8; |d slope / dh| = |1 - 2h| / 1.2 < 1; three roundings.
      CHECK(std::fabs(static_cast<double>(BoundedRounding::join_slope(u)) - expected) <= 2e-6);
    }
  }
  for (const float u : {0.0f, 1.0f, -8.0f, 7.0f}) CHECK(BoundedRounding::join_slope(u) == 0.0f);
}

TEST_CASE("BoundedRounding: what is not a number stays so", "[placement]") {
  constexpr float nan = std::numeric_limits<float>::quiet_NaN();
  CHECK(std::isnan(BoundedRounding::join(nan, 0.0f)));
  CHECK(std::isnan(BoundedRounding::join(1.5f, nan)));
  CHECK(std::isnan(BoundedRounding::join_slope(nan)));
  CHECK_FALSE(std::isfinite(BoundedRounding::join(std::numeric_limits<float>::infinity(), 0.0f)));
}

TEST_CASE("BoundedRounding: the base is in grid units, the live scale only multiplies",
          "[placement]") {
  CHECK(BoundedRounding::base(1.0f, 3.0f) == 1.0f / 3.0f);
  CHECK(BoundedRounding::to_grid(2.5f, 0.1f) == 2.5f);
  CHECK(BoundedRounding::z_gradient(2.0f, 0.5f, 0.25f) == 0.25f);
  STATIC_REQUIRE(std::is_same_v<scale_coupling<BoundedRounding>::type, Decoupled>);
  STATIC_REQUIRE_FALSE(adds_after_rounding<BoundedRounding>);
}

}  // namespace
}  // namespace lrqat
