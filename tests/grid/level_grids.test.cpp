// SPDX-License-Identifier: MIT
// tests/grid/level_grids.test.cpp: grids that are symmetric about zero: MidRise, SymmetricInt, Ternary.
#include <lrqat/grid/mid_rise.hpp>
#include <lrqat/grid/symmetric_int.hpp>
#include <lrqat/grid/ternary.hpp>

#include <lrqat/storage/packed.hpp>

#include <catch2/catch.hpp>

#include <cmath>
#include <limits>
#include <set>
#include <vector>

namespace lrqat {
namespace {

/// Its levels, and what holds for each grid here.
template <class G>
std::set<float> levels_of_grid() {
  std::set<float> levels;
  for (int code = G::code_min; code <= G::code_max; ++code) {
    const float level = G::level(code, 0.0f);
    levels.insert(level);
    CHECK(G::code(level, 0.0f) == code);
    CHECK(G::code(-level, 0.0f) >= G::code_min);
    CHECK(G::clip(G::round(level), 0.0f) == level);
    CHECK(G::clip(G::round(-level), 0.0f) == -level);
  }
  const float infinity = std::numeric_limits<float>::infinity(), top = *levels.rbegin();
  CHECK(G::clip(G::round(infinity), 0.0f) == top);
  CHECK(G::clip(G::round(-infinity), 0.0f) == -top);
  CHECK(G::clip(G::round(3e38f), 0.0f) == top);
  CHECK(std::isnan(G::clip(G::round(std::nanf("")), 0.0f)));
  // Multiples of 1/16 over twice the range: nearest, whatever happens to ties.
  for (int i = -static_cast<int>(top * 32); i <= static_cast<int>(top * 32); ++i) {
    const float u = static_cast<float>(i) / 16.0f, got = G::clip(G::round(u), 0.0f);
    float error = infinity;
    for (const float level : levels) error = std::min(error, std::fabs(level - u));
    CHECK(levels.count(got) == 1);
    CHECK(std::fabs(got - u) == error);
    CHECK(static_cast<double>(got) == G::clip(G::round(static_cast<double>(u)), 0.0));
  }
  return levels;
}

template <class G>
void check_packed() {
  using Codes = Packed::bound_to<G>;
  std::vector<float> values;
  for (int i = 0; i < 40; ++i)
    values.push_back(G::level(G::code_min + i * 7 % (G::code_max - G::code_min + 1), 0.0f));
  std::vector<std::byte> row(Codes::bytes_per_row(values.size()));
  CHECK(row.size() == (values.size() * static_cast<std::size_t>(G::bits) + 7) / 8);
  Codes::encode(values, 0.0f, row.data(), 0);
  std::vector<float> decoded(values.size());
  Codes::decode(row.data(), 0, 0.0f, decoded);
  CHECK(decoded == values);
}

TEMPLATE_TEST_CASE_SIG("MidRise: 2^b levels at odd halves, none of them zero", "[grid]",
                       ((int Bits), Bits), 1, 2, 3, 4, 8) {
  const std::set<float> levels = levels_of_grid<MidRise<Bits>>();
  CHECK(levels.size() == std::size_t{1} << Bits);
  CHECK(levels.count(0.0f) == 0);
  float previous = *levels.begin() - 1.0f;
  for (const float level : levels) {
    CHECK(level == previous + 1.0f);
    previous = level;
  }
  CHECK(previous == static_cast<float>((1 << Bits) - 1) / 2.0f);
  check_packed<MidRise<Bits>>();
}

TEST_CASE("MidRise: ties as in QuEST, round(u + 1/2) - 1/2 half to even", "[grid]") {
  for (int u = -9; u <= 9; ++u) {
    const float tie = static_cast<float>(u);
    CHECK(MidRise<4>::round(tie) == std::nearbyint(tie + 0.5f) - 0.5f);
  }
  CHECK(Sign::round(0.0f) == -0.5f);
}

TEST_CASE("SymmetricInt: -p .. p, and Int's rounding", "[grid]") {
  CHECK(levels_of_grid<SymmetricInt<2>>() == std::set<float>{-1, 0, 1});
  CHECK(levels_of_grid<SymmetricInt<4>>().size() == 15);
  CHECK(*levels_of_grid<SymmetricInt<8>>().begin() == -127);
  CHECK(SymmetricInt<4>::clip(SymmetricInt<4>::round(-7.6f), 0.0f) == -7.0f);
  CHECK(SymmetricInt<4>::round(2.5f) == 2.0f);
  check_packed<SymmetricInt<3>>();
}

TEST_CASE("Ternary: three levels, |u| = 1/2 is still zero", "[grid]") {
  CHECK(levels_of_grid<Ternary>() == std::set<float>{-1, 0, 1});
  CHECK(Ternary::round(0.5f) == 0.0f);
  CHECK(Ternary::round(-0.5f) == 0.0f);
  CHECK(Ternary::round(std::nextafter(0.5f, 1.0f)) == 1.0f);
  check_packed<Ternary>();
}

}  // namespace
}  // namespace lrqat
