// SPDX-License-Identifier: MIT
// tests/optim/bit_switching.test.cpp: rates and widths of a model that trains at several widths.
#include <lrqat/optim/bit_switching.hpp>

#include <catch2/catch.hpp>

#include <array>
#include <limits>
#include <vector>

namespace lrqat {
namespace {

TEST_CASE("scale_rate_factor: a tenth for every two bits", "[optim]") {
  const std::array<double, 7> factors{1.0, 0.5, 0.1, 0.05, 0.01, 0.005, 0.001};
  for (int difference = 0; difference < 7; ++difference)
    CHECK(scale_rate_factor(8, 8 - difference) ==
          Approx(factors[static_cast<std::size_t>(difference)]).epsilon(1e-14));
  CHECK_THROWS_WITH(scale_rate_factor(4, 8), Catch::Contains("below 8"));
}

TEST_CASE("adaptive_scale_rate: less the mean of the layers' largest gradients, each up to 1",
          "[optim]") {
  const std::vector<float> largest{0.25f, 3.0f, 0.0f, std::numeric_limits<float>::infinity()};
  CHECK(adaptive_scale_rate(1.0, 8, 8, largest) == 1.0 - 2.25 / 4);
  CHECK(adaptive_scale_rate(1.0, 8, 4, largest) == Approx(0.01 * (1.0 - 2.25 / 4)));
  CHECK(adaptive_scale_rate(0.5, 8, 8, largest) == 0.0);  // never the other way
  CHECK(adaptive_scale_rate(0.5, 8, 6, {}) == Approx(0.05));
}

TEST_CASE("switching_probability: grows to sigma in the last epoch", "[optim]") {
  CHECK(switching_probability(0.8, 0, 4) == Approx(0.2));
  CHECK(switching_probability(0.8, 3, 4) == 0.8);
  CHECK_THROWS_WITH(switching_probability(1.5, 0, 4), Catch::Contains("sigma"));
  CHECK_THROWS_WITH(switching_probability(0.5, 4, 4), Catch::Contains("epoch 4 of 4"));
}

TEST_CASE("draw_bit_width: all alike, or in proportion to the bits", "[optim]") {
  const std::vector<int> widths{8, 6, 4, 2};
  const auto drawn = [&](bool is_sensitive, int bits) {
    int count = 0;
    for (int i = 0; i < 1000; ++i)
      count += draw_bit_width(widths, is_sensitive, i / 1000.0) == bits;
    return count;
  };
  for (const int bits : widths) {
    CHECK(drawn(false, bits) == 250);
    CHECK(drawn(true, bits) == 50 * bits);
  }
  CHECK(draw_bit_width(std::array{4}, true, 0.999) == 4);
  CHECK_THROWS_WITH(draw_bit_width({}, true, 0.5), Catch::Contains("no width"));
  CHECK_THROWS_WITH(draw_bit_width(std::array{0}, true, 0.5), Catch::Contains("0 bits"));
}

}  // namespace
}  // namespace lrqat
