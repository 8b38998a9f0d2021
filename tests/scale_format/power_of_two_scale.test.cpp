// SPDX-License-Identifier: MIT
// tests/scale_format/power_of_two_scale.test.cpp: shared exponents, and LQER's MXINT made of them.
#include <lrqat/scale_format/power_of_two_scale.hpp>

#include <lrqat/core/rng.hpp>
#include <lrqat/grid/int.hpp>
#include <lrqat/initializer/full_range.hpp>
#include <lrqat/initializer/min_max.hpp>
#include <lrqat/initializer/round_to_grid.hpp>

#include <catch2/catch.hpp>
#include <support/matrix.hpp>

#include <cmath>
#include <limits>

namespace lrqat::test {
namespace {

static_assert(ScaleFormatOf<PowerOfTwoScale, Int<4>>);

float rounded(float scale) { return PowerOfTwoScale::round<Int<4>>(scale, 0.0f); }

TEST_CASE("PowerOfTwoScale: the smallest power of two that is not below", "[scale_format]") {
  for (int e = -26; e <= 127; ++e) {
    const float power = std::ldexp(1.0f, e);
    CHECK(rounded(power) == power);
    if (e == 127) continue;
    CHECK(rounded(std::nextafter(power, 4.0f * power)) == 2.0f * power);
    CHECK(rounded(1.5f * power) == 2.0f * power);
    CHECK(rounded(std::nextafter(2.0f * power, 0.0f)) == 2.0f * power);
  }
  const float infinity = std::numeric_limits<float>::infinity();
  CHECK(rounded(std::numeric_limits<float>::max()) == infinity);  // which merge() refuses
  CHECK(rounded(infinity) == infinity);
  CHECK(std::isnan(rounded(std::numeric_limits<float>::quiet_NaN())));
}

/// The block_fp quantizer of LQER's code in double: 2^ceil(log2 max) m / 2^(b-1), m rounded and at
/// most 2^(b-1) - 1 in magnitude.
double lqer_block_fp(double x, double largest, int bits) {
  const double exponent = std::ceil(std::log2(largest)), shift = std::ldexp(1.0, bits - 1);
  const double mantissa =
      std::min(std::nearbyint(std::fabs(x) / std::exp2(exponent) * shift), shift - 1);
  return std::copysign(std::exp2(exponent) * mantissa / shift, x);
}

template <int bits>
void check_mxint() {
  int ends = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Matrix block = random_matrix(3, 37, std::ldexp(1.0f, static_cast<int>(seed % 40) - 10), seed);
    const Matrix values = block;
    round_to_grid<Int<bits>, FullRange, PowerOfTwoScale>(block.view(), 16);
    for (std::size_t i = 0; i < 3; ++i)
      for (std::size_t j = 0; j < 37; ++j) {
        float largest = 0;
        for (std::size_t k = j / 16 * 16; k < std::min<std::size_t>(j / 16 * 16 + 16, 37); ++k)
          largest = std::max(largest, std::fabs(values(i, k)));
        const double lqer = lqer_block_fp(double{values(i, j)}, double{largest}, bits);
        const double own_error = std::fabs(double{block(i, j)} - double{values(i, j)});
        if (double{block(i, j)} != lqer) {  // the one level that a sign bit does not have
          ++ends;
          CHECK(values(i, j) < 0);
          CHECK(own_error < std::fabs(lqer - double{values(i, j)}));
        }
      }
  }
  CHECK(ends < 200 * 3 * 37 / 8);
}

TEST_CASE("PowerOfTwoScale: MXINT is that of LQER but for its lowest level", "[scale_format]") {
  check_mxint<4>();
  check_mxint<8>();
}

TEST_CASE("PowerOfTwoScale: with MinMax nothing is clipped, with FullRange at most one level",
          "[scale_format]") {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    const Matrix group = random_matrix(1, 16, 0.1f, seed);
    const float wide = rounded(MinMax::choose<Int<4>>(group.values).scale);
    const float full = rounded(FullRange::choose<Int<4>>(group.values).scale);
    CHECK((wide == full || wide == 2.0f * full));
    for (const float w : group.values) {
      CHECK(std::fabs(w / wide) <= 7.0f);
      CHECK(std::fabs(w / full) <= 8.0f);
    }
  }
}

TEST_CASE("round_to_grid: what is on the grid stays; bad input is refused", "[initializer]") {
  Matrix block = random_matrix(2, 21, 1.0f, 5);
  round_to_grid<Int<8>, FullRange, PowerOfTwoScale>(block.view(), 16);
  Matrix again = block;
  round_to_grid<Int<8>, FullRange, PowerOfTwoScale>(again.view(), 16);
  CHECK(bits_of(again.values) == bits_of(block.values));
  Matrix zeros(1, 16);
  round_to_grid<Int<4>, FullRange, PowerOfTwoScale>(zeros.view(), 16);
  CHECK(zeros.values == std::vector<float>(16, 0.0f));
  block(1, 20) = std::numeric_limits<float>::infinity();
  using Catch::Matchers::Contains;
  CHECK_THROWS_WITH((round_to_grid<Int<8>, FullRange, PowerOfTwoScale>(block.view(), 16)),
                    Contains("number (1, 20) is not finite"));
  CHECK_THROWS_WITH((round_to_grid<Int<8>, FullRange, PowerOfTwoScale>(zeros.view(), 0)),
                    Contains("at least one number"));
}

}  // namespace
}  // namespace lrqat::test
