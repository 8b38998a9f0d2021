// SPDX-License-Identifier: MIT
// tests/initializer/lp_search.test.cpp: first scales and zero points, by extremes and by search.
#include <lrqat/initializer/lp_search.hpp>

#include <lrqat/core/rng.hpp>
#include <lrqat/grid/int.hpp>
#include <lrqat/grid/uint.hpp>
#include <lrqat/initializer/min_max.hpp>

#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

namespace lrqat {
namespace {

template <class G, class I>
double error_of(const std::vector<float>& group, double power) {
  const QParams found = I::template choose<G>(group);
  double sum = 0;
  for (const float weight : group) {
    const float level = G::clip(G::round(weight / found.scale), found.zero_point);
    sum += std::pow(
        std::fabs(static_cast<double>(weight) - static_cast<double>(found.scale * level)), power);
  }
  return sum;
}

template <class G>
float worst_error(const std::vector<float>& group) {
  const QParams found = MinMax::choose<G>(group);
  float worst = 0;
  for (const float weight : group)
    worst = std::max(worst, std::fabs(weight - found.scale * G::clip(G::round(weight / found.scale),
                                                                     found.zero_point)));
  return worst / found.scale;
}

std::vector<float> normal(std::size_t count, float scale, float shift = 0.0f) {
  std::vector<float> group(count);
  const CounterRng random(3, 4);
  for (std::size_t i = 0; i < count; ++i) group[i] = scale * random.normal(i) + shift;
  return group;
}

TEST_CASE("MinMax: max|w| / p on a signed grid", "[initializer]") {
  const std::vector<float> group{0.5f, -2.0f, 1.0f};
  CHECK(MinMax::choose<Int<4>>(group).scale == 2.0f / 7.0f);
  CHECK(MinMax::choose<Int<2>>(group).scale == 2.0f);
  CHECK(MinMax::choose<Int<8>>(group).scale == 2.0f / 127.0f);
  CHECK(MinMax::choose<Int<4>>(group).zero_point == 0.0f);
}

TEST_CASE("MinMax: the whole range on a grid with a zero point", "[initializer]") {
  const QParams both = MinMax::choose<UInt<4>>(std::vector<float>{-1.0f, 2.0f});
  CHECK(both.scale == 3.0f / 15.0f);
  CHECK(both.zero_point == 5.0f);
  const QParams positive = MinMax::choose<UInt<4>>(std::vector<float>{1.0f, 3.0f});
  CHECK(positive.scale == 3.0f / 15.0f);  // zero is always in the range
  CHECK(positive.zero_point == 0.0f);
  const QParams negative = MinMax::choose<UInt<4>>(std::vector<float>{-1.0f, -3.0f});
  CHECK(negative.scale == 3.0f / 15.0f);
  CHECK(negative.zero_point == 15.0f);
}

TEST_CASE("MinMax: no weight is off by more than half a step where nothing clips",
          "[initializer]") {
  // Rounding of the scale may move the last weight's half by 2^-23 of the number of levels.
  const float half = 0.5f + 256 * 0x1p-22f;
  CHECK(worst_error<Int<4>>(normal(100, 1.0f)) <= half);
  CHECK(worst_error<Int<8>>(normal(100, 1.0f)) <= half);
  // A zero point that is rounded by up to a half shifts the range: the ends lose another half.
  CHECK(worst_error<UInt<4>>(normal(100, 1.0f, 0.3f)) <= 1.0f + 256 * 0x1p-22f);
  CHECK(worst_error<UInt<8>>(normal(100, 1e-3f)) <= 1.0f + 256 * 0x1p-22f);
}

TEST_CASE("Initializers: a group of zeros, or of nothing, gets the scale floor", "[initializer]") {
  for (const std::vector<float>& group : {std::vector<float>(5, 0.0f), std::vector<float>{}}) {
    CHECK(MinMax::choose<Int<4>>(group).scale == scale_floor);
    CHECK(MinMax::choose<UInt<4>>(group).scale == scale_floor);
    CHECK(LpSearch<4>::choose<Int<4>>(group).scale == scale_floor);
    CHECK(LpSearch<4>::choose<UInt<4>>(group).scale == scale_floor);
    CHECK(MinMax::choose<UInt<4>>(group).zero_point == 0.0f);
  }
}

TEST_CASE("Initializers: one weight, positive or negative", "[initializer]") {
  CHECK(MinMax::choose<Int<4>>(std::vector<float>{3.5f}).scale == 0.5f);
  CHECK(MinMax::choose<Int<4>>(std::vector<float>{-3.5f}).scale == 0.5f);
  // The search may use the lowest level, which lies one step further out.
  for (const float weight : {3.5f, -3.5f}) {
    const std::vector<float> group{weight};
    CHECK(error_of<Int<4>, LpSearch<4>>(group, 4) <= error_of<Int<4>, MinMax>(group, 4));
    CHECK(error_of<UInt<4>, LpSearch<4>>(group, 4) <= error_of<UInt<4>, MinMax>(group, 4));
  }
}

template <int Numerator, int Denominator>
void check_own_norm() {
  using Search = LpSearch<Numerator, Denominator>;
  const std::vector<float> group = normal(200, 0.05f);
  const double power = static_cast<double>(Numerator) / Denominator;
  INFO("power " << power);
  CHECK(error_of<Int<3>, Search>(group, power) < error_of<Int<3>, MinMax>(group, power));
  CHECK(error_of<UInt<3>, Search>(group, power) <= error_of<UInt<3>, MinMax>(group, power));
}

TEST_CASE("LpSearch: not worse than MinMax in its own norm", "[initializer]") {
  check_own_norm<2, 1>();
  check_own_norm<12, 5>();
  check_own_norm<3, 1>();
  check_own_norm<7, 2>();
  check_own_norm<4, 1>();
  check_own_norm<5, 1>();
}

TEST_CASE("LpSearch: finds the grid that the weights lie on", "[initializer]") {
  // All levels of Int<3> times 0.25: threshold 75 / 100 of the largest magnitude gives no error.
  const std::vector<float> group{-1.0f, -0.75f, -0.5f, -0.25f, 0.0f, 0.25f, 0.5f, 0.75f};
  CHECK(std::fabs(LpSearch<2>::choose<Int<3>>(group).scale - 0.25f) <= 0x1p-24f);
}

TEST_CASE("Initializers: huge and tiny weights give a finite scale above 0", "[initializer]") {
  for (const float magnitude : {1e-45f, 1e-30f, 1e-9f, 1e9f, 1e30f, 1.5e38f}) {
    INFO("weights around " << magnitude);
    const std::vector<float> group{magnitude, -magnitude, magnitude / 3, 0.0f};
    for (const QParams found :
         {MinMax::choose<Int<4>>(group), MinMax::choose<UInt<4>>(group),
          LpSearch<4>::choose<Int<4>>(group), LpSearch<12, 5>::choose<UInt<4>>(group),
          LpSearch<5>::choose<Int<2>>(group)}) {
      CHECK(std::isfinite(found.scale));
      CHECK(found.scale >= scale_floor);
      CHECK(found.zero_point == std::nearbyint(found.zero_point));
    }
  }
}

}  // namespace
}  // namespace lrqat
