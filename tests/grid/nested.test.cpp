// SPDX-License-Identifier: MIT
// tests/grid/nested.test.cpp: integers rounded twice, and a range without rounding.
#include <lrqat/grid/nested.hpp>

#include <lrqat/estimator/straight_through.hpp>
#include <lrqat/grid/unrounded.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>
#include <vector>

namespace lrqat {
namespace {

template <class G>
float level(float u) {
  return G::clip(G::round(u), 0.0f);
}
/// W_l = clip(round(W_h / 2^(h - l))) on integers alone: half to even by comparison of remainders.
int rounded_again(int high, int shift, int low_bits) {
  const int step = 1 << shift, floor = high >> shift, rest = high - floor * step;
  const int up = 2 * rest > step || (2 * rest == step && floor % 2 != 0) ? 1 : 0;
  return std::clamp(floor + up, -(1 << (low_bits - 1)), (1 << (low_bits - 1)) - 1);
}

template <int High, int Low>
void check_all_integers() {
  using G = Nested<High, Low>;
  double worst = 0;
  for (int high = Int<High>::code_min; high <= Int<High>::code_max; ++high) {
    INFO(high << " of " << High << " bits in " << Low);
    const int expected = rounded_again(high, High - Low, Low);
    const float found = level<G>(static_cast<float>(high));
    CHECK(found == static_cast<float>(expected * G::step));
    CHECK(G::code(found, 0.0f) == expected);
    CHECK(G::level(expected, 0.0f) == found);
    const double error = std::fabs(static_cast<double>(found) - high) / G::step;
    if (high <= G::code_max * G::step + G::step / 2) CHECK(error <= 0.5);
    worst = std::max(worst, error);
  }
  CHECK(worst == Approx(High == Low ? 0.0 : 1.0 - 1.0 / G::step).margin(1e-12));
}

TEST_CASE("Nested: every integer of the high precision, within half a step but at the top",
          "[grid]") {
  check_all_integers<8, 8>();
  check_all_integers<8, 7>();
  check_all_integers<8, 6>();
  check_all_integers<8, 4>();
  check_all_integers<8, 2>();  // worst 63 / 64 = 0.984
  check_all_integers<5, 2>();
}

TEST_CASE("Nested: twice is not once", "[grid]") {
  CHECK(Nested<8, 2>::code(level<Nested<8, 2>>(-95.0f), 0.0f) == -1);
  const int four = Nested<8, 4>::code(level<Nested<8, 4>>(-95.0f), 0.0f);
  CHECK(four == -6);
  CHECK(Nested<4, 2>::code(level<Nested<4, 2>>(static_cast<float>(four)), 0.0f) == -2);
  // It is the first such integer from below.
  for (int high = -128; high < -95; ++high) {
    const int at_four = Nested<8, 4>::code(level<Nested<8, 4>>(static_cast<float>(high)), 0.0f);
    CHECK(Nested<4, 2>::code(level<Nested<4, 2>>(static_cast<float>(at_four)), 0.0f) ==
          Nested<8, 2>::code(level<Nested<8, 2>>(static_cast<float>(high)), 0.0f));
  }
}

TEST_CASE("Nested: reals are rounded to the high precision first", "[grid]") {
  CHECK(level<Nested<8, 8>>(2.5f) == 2.0f);
  CHECK(level<Nested<8, 8>>(1e9f) == 127.0f);
  CHECK(level<Nested<8, 4>>(8.0f) == 0.0f);  // half a low step, to even
  CHECK(level<Nested<8, 4>>(24.0f) == 32.0f);
  CHECK(level<Nested<8, 4>>(8.4f) == 0.0f);  // 8 first, and then the tie; once it were 16
  CHECK(level<Nested<8, 4>>(8.6f) == 16.0f);
  CHECK(level<Nested<8, 4>>(-8.5f) == -0.0f);
  CHECK(level<Nested<8, 4>>(1e9f) == 112.0f);
  CHECK(level<Nested<8, 4>>(-1e9f) == -128.0f);
  constexpr float infinity = std::numeric_limits<float>::infinity();
  CHECK(level<Nested<8, 2>>(infinity) == 64.0f);
  CHECK(level<Nested<8, 2>>(-infinity) == -128.0f);
  CHECK(std::isnan(level<Nested<8, 2>>(std::numeric_limits<float>::quiet_NaN())));
}

TEST_CASE("Nested: the gradient passes where neither range clips", "[grid]") {
  const auto passes = [](float u) {
    using G = Nested<8, 4>;
    return StraightThrough::pass(u, G::round(u), level<G>(u), 0.0f, 0.0f) == 1.0f;
  };
  CHECK(passes(0.3f));
  CHECK(passes(119.4f));
  CHECK(passes(-128.0f));
  CHECK(passes(-128.4f));
  for (const float u : {119.6f /* 120, the tie that goes up */, 127.0f, 128.0f, -128.6f, -129.0f,
                        -133.0f, -1000.0f})
    CHECK_FALSE(passes(u));
}

TEST_CASE("BitWidths: a list of falling widths", "[grid]") {
  STATIC_REQUIRE(BitWidths<8, 6, 4, 2>::contains(8));
  STATIC_REQUIRE(BitWidths<8, 6, 4, 2>::contains(2));
  STATIC_REQUIRE_FALSE(BitWidths<8, 6, 4, 2>::contains(5));
  STATIC_REQUIRE(BitWidths<4>::contains(4));
}

TEST_CASE("Unrounded: the range of its grid, no rounding, no codes", "[grid]") {
  using G = Unrounded<Int<3>>;
  CHECK(level<G>(1.3f) == 1.3f);
  CHECK(level<G>(3.5f) == 3.0f);
  CHECK(level<G>(-4.5f) == -4.0f);
  CHECK(std::isnan(level<G>(std::numeric_limits<float>::quiet_NaN())));
  STATIC_REQUIRE(leaves_reals<G>);
  STATIC_REQUIRE_FALSE(leaves_reals<Int<3>>);
  STATIC_REQUIRE(std::is_same_v<base_grid_of<G>, Int<3>>);
  STATIC_REQUIRE(std::is_same_v<base_grid_of<Unrounded<Nested<8, 4>>>, Int<8>>);
  STATIC_REQUIRE(std::is_same_v<base_grid_of<Int<3>>, Int<3>>);
}

}  // namespace
}  // namespace lrqat
