// SPDX-License-Identifier: MIT
// tests/estimator/trust.test.cpp: QuEST's estimator.
#include <lrqat/estimator/trust.hpp>

#include <lrqat/estimator/straight_through.hpp>
#include <lrqat/grid/int.hpp>
#include <lrqat/grid/mid_rise.hpp>
#include <lrqat/grid/ternary.hpp>

#include <catch2/catch.hpp>

#include <cmath>

namespace lrqat {
namespace {

template <class E, class G>
float pass(float u) {
  const float rounded = G::round(u);
  return E::pass(u, rounded, G::clip(rounded, 0.0f), G::level(G::code_min, 0.0f),
                 G::level(G::code_max, 0.0f));
}

/// f(u) for multiples of 1/64 over three times the range.
template <class G, class F>
void for_each_u(F f) {
  const float top = G::level(G::code_max, 0.0f);
  for (int i = -static_cast<int>(192 * top); i <= static_cast<int>(192 * top); ++i)
    f(static_cast<float>(i) / 64.0f);
}

template <class G>
void check_reach(float beyond) {
  const float top = G::level(G::code_max, 0.0f);
  for_each_u<G>([&](float u) {
    INFO("u = " << u);
    CHECK(pass<Trust<>, G>(u) == (std::fabs(u) <= top + beyond ? 1.0f : 0.0f));
  });
}

TEST_CASE("Trust: all ones inside the range, half a step beyond it", "[estimator]") {
  check_reach<MidRise<2>>(0.5f);
  check_reach<MidRise<3>>(0.5f);
  check_reach<MidRise<4>>(0.5f);
  check_reach<Ternary>(0.5f);
}

TEST_CASE("Trust: one bit reaches 1.3 times as far", "[estimator]") {
  check_reach<Sign>(0.65f);
  CHECK(pass<Trust<>, Sign>(1.149f) == 1.0f);
  CHECK(pass<Trust<>, Sign>(1.151f) == 0.0f);
}

TEST_CASE("Trust: T = infinity passes everywhere, a smaller T not even inside", "[estimator]") {
  for_each_u<MidRise<3>>([&](float u) {
    CHECK(pass<Trust<1 << 20, 1>, MidRise<3>>(u) == pass<StraightThroughUnclipped, MidRise<3>>(u));
    CHECK(pass<StraightThroughUnclipped, MidRise<3>>(u) == 1.0f);
  });
  CHECK(pass<Trust<1, 4>, MidRise<3>>(0.5f) == 1.0f);
  CHECK(pass<Trust<1, 4>, MidRise<3>>(0.75f) == 1.0f);
  CHECK(pass<Trust<1, 4>, MidRise<3>>(0.8f) == 0.0f);
}

TEST_CASE("Trust: on integers StraightThrough, but for the tie beyond the last level",
          "[estimator]") {
  for_each_u<Int<4>>([&](float u) {
    if (u == 7.5f)
      CHECK(pass<Trust<>, Int<4>>(u) - pass<StraightThrough, Int<4>>(u) == 1.0f);
    else
      CHECK(pass<Trust<>, Int<4>>(u) == pass<StraightThrough, Int<4>>(u));
  });
}

TEST_CASE("Trust: nothing passes what is no number", "[estimator]") {
  CHECK(pass<Trust<>, Int<4>>(std::nanf("")) == 0.0f);
  CHECK(pass<Trust<>, Int<4>>(INFINITY) == 0.0f);
}

}  // namespace
}  // namespace lrqat
