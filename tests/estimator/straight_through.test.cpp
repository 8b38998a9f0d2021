// SPDX-License-Identifier: MIT
// tests/estimator/straight_through.test.cpp: where each estimator lets the gradient pass.
#include <lrqat/estimator/straight_through.hpp>

#include <lrqat/estimator/lsq.hpp>
#include <lrqat/grid/int.hpp>
#include <lrqat/grid/uint.hpp>

#include <catch2/catch.hpp>
#include <cmath>

namespace lrqat {
namespace {

template <class E, class G = Int<4>>
bool passes(float u, float zero_point = 0.0f) {
  const float rounded = G::round(u), level = G::clip(rounded, zero_point);
  const float pass = E::pass(u, rounded, level, G::level(G::code_min, zero_point),
                             G::level(G::code_max, zero_point));
  CHECK((pass == 0.0f || pass == 1.0f));
  return pass == 1.0f;
}

TEST_CASE("StraightThrough: the mask is taken on the rounded value, ends included", "[estimator]") {
  CHECK(passes<StraightThrough>(7.0f));
  CHECK(passes<StraightThrough>(7.49f));
  CHECK_FALSE(passes<StraightThrough>(7.5f));  // rounds to 8
  CHECK(passes<StraightThrough>(-8.0f));
  CHECK(passes<StraightThrough>(-8.5f));  // rounds to -8
  CHECK_FALSE(passes<StraightThrough>(-8.51f));
  CHECK_FALSE(passes<StraightThrough>(std::nanf("")));
  CHECK(StraightThrough::scale_factor(100, 7.0f) == 1.0f);
}

TEST_CASE("StraightThroughClipFirst: the mask is taken on u, ends included", "[estimator]") {
  CHECK(passes<StraightThroughClipFirst>(7.0f));
  CHECK_FALSE(passes<StraightThroughClipFirst>(std::nextafter(7.0f, 8.0f)));
  CHECK(passes<StraightThroughClipFirst>(-8.0f));
  CHECK_FALSE(passes<StraightThroughClipFirst>(std::nextafter(-8.0f, -9.0f)));
  CHECK(StraightThroughClipFirst::scale_factor(100, 7.0f) == 1.0f);
}

TEST_CASE("Lsq: passes strictly inside, and scales the scale's gradient", "[estimator]") {
  CHECK_FALSE(passes<Lsq>(7.0f));
  CHECK(passes<Lsq>(std::nextafter(7.0f, 0.0f)));
  CHECK_FALSE(passes<Lsq>(-8.0f));
  CHECK(passes<Lsq>(std::nextafter(-8.0f, 0.0f)));
  CHECK(Lsq::scale_factor(112, 7.0f) == 1.0f / std::sqrt(784.0f));
}

TEST_CASE("Estimators: a zero point moves the ends", "[estimator]") {
  using G = UInt<2>;  // levels -1 .. 2 with zero point 1
  CHECK(passes<StraightThrough, G>(2.4f, 1.0f));
  CHECK_FALSE(passes<StraightThrough, G>(2.6f, 1.0f));
  CHECK(passes<StraightThrough, G>(-1.4f, 1.0f));
  CHECK_FALSE(passes<StraightThrough, G>(-1.6f, 1.0f));
  CHECK_FALSE(passes<StraightThroughClipFirst, G>(2.4f, 1.0f));
  CHECK_FALSE(passes<Lsq, G>(2.0f, 1.0f));
  CHECK(passes<Lsq, G>(1.9f, 1.0f));
}

}  // namespace
}  // namespace lrqat
