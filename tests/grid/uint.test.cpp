// SPDX-License-Identifier: MIT
// tests/grid/uint.test.cpp: unsigned integers with a zero point.
#include <lrqat/grid/uint.hpp>

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

namespace lrqat {
namespace {

TEMPLATE_TEST_CASE_SIG("UInt: code and level are inverse for every zero point", "[grid]",
                       ((int Bits), Bits), 2, 3, 4, 5, 6, 7, 8) {
  using G = UInt<Bits>;
  STATIC_REQUIRE(G::code_min == 0);
  STATIC_REQUIRE(G::code_max == (1 << Bits) - 1);
  STATIC_REQUIRE(G::has_zero_point);
  int wrong = 0;
  for (int z = 0; z <= G::code_max; ++z)
    for (int code = 0; code <= G::code_max; ++code) {
      const auto zero = static_cast<float>(z);
      const float level = G::level(code, zero);
      wrong += level != static_cast<float>(code - z) || G::code(level, zero) != code ||
               G::clip(G::round(level), zero) != level;
    }
  CHECK(wrong == 0);
}

TEST_CASE("UInt: clipping levels equals clipping round(u) + z to the codes", "[grid]") {
  for (int z = 0; z <= 7; ++z)
    for (int i = -12 * 16; i <= 12 * 16; ++i) {
      const float u = static_cast<float>(i) / 16.0f, zero = static_cast<float>(z);
      const float code = std::min(std::max(std::nearbyint(u) + zero, 0.0f), 7.0f);
      INFO("u = " << u << ", z = " << z);
      CHECK(UInt<3>::clip(UInt<3>::round(u), zero) == code - zero);
    }
}

TEST_CASE("UInt: infinities saturate, NaN stays NaN", "[grid]") {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  CHECK(UInt<2>::clip(UInt<2>::round(infinity), 1.0f) == 2.0f);
  CHECK(UInt<2>::clip(UInt<2>::round(-infinity), 1.0f) == -1.0f);
  CHECK(std::isnan(UInt<2>::clip(UInt<2>::round(std::nanf("")), 1.0f)));
}

}  // namespace
}  // namespace lrqat
