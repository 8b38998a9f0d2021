// SPDX-License-Identifier: MIT
// tests/grid/int.test.cpp: signed integers.
#include <lrqat/grid/int.hpp>

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

namespace lrqat {
namespace {

TEMPLATE_TEST_CASE_SIG("Int: the full signed range", "[grid]", ((int Bits), Bits), 2, 3, 4, 5, 6, 7,
                       8) {
  using G = Int<Bits>;
  STATIC_REQUIRE(G::bits == Bits);
  STATIC_REQUIRE(G::code_max - G::code_min == (1 << Bits) - 1);
  STATIC_REQUIRE(G::code_max == -G::code_min - 1);
  STATIC_REQUIRE_FALSE(G::has_zero_point);
}

TEMPLATE_TEST_CASE_SIG("Int: code and level are inverse", "[grid]", ((int Bits), Bits), 2, 3, 4, 5,
                       6, 7, 8) {
  using G = Int<Bits>;
  for (int code = G::code_min; code <= G::code_max; ++code) {
    const float level = G::level(code, 0.0f);
    CHECK(level == static_cast<float>(code));
    CHECK(G::code(level, 0.0f) == code);
    CHECK(G::clip(G::round(level), 0.0f) == level);
  }
}

TEMPLATE_TEST_CASE_SIG("Int: nearest level, ties to even, ends clip", "[grid]", ((int Bits), Bits),
                       2, 3, 4, 8) {
  using G = Int<Bits>;
  // Multiples of 1/16 over twice the range: every tie and every end, exact in float and double.
  for (int i = G::code_min * 32; i <= G::code_max * 32; ++i) {
    const float u = static_cast<float>(i) / 16.0f;
    const float nearest = std::nearbyint(u);
    INFO("u = " << u);
    CHECK(G::round(u) == nearest);
    CHECK(G::round(static_cast<double>(u)) == static_cast<double>(nearest));
    CHECK(G::clip(G::round(u), 0.0f) == std::min(std::max(nearest, static_cast<float>(G::code_min)),
                                                 static_cast<float>(G::code_max)));
  }
}

TEST_CASE("Int: infinities saturate, NaN stays NaN", "[grid]") {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  CHECK(Int<4>::clip(Int<4>::round(infinity), 0.0f) == 7.0f);
  CHECK(Int<4>::clip(Int<4>::round(-infinity), 0.0f) == -8.0f);
  CHECK(Int<4>::clip(Int<4>::round(3e38f), 0.0f) == 7.0f);
  CHECK(std::isnan(Int<4>::clip(Int<4>::round(std::nanf("")), 0.0f)));
}

}  // namespace
}  // namespace lrqat
