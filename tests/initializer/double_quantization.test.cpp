// SPDX-License-Identifier: MIT
// tests/initializer/double_quantization.test.cpp: scales in 8 bits, as QLoRA keeps them.
#include <lrqat/initializer/double_quantization.hpp>

#include <lrqat/core/rng.hpp>

#include <catch2/catch.hpp>
#include <support/matrix.hpp>

#include <cmath>

namespace lrqat::test {
namespace {

TEST_CASE("Dynamic map: 256 ascending numbers, symmetric but for 1", "[initializer]") {
  const auto& map = dynamic_map();
  for (std::size_t i = 1; i < map.size(); ++i) CHECK(map[i - 1] < map[i]);
  CHECK(map[127] == 0.0f);
  CHECK(map[255] == 1.0f);
  for (std::size_t i = 0; i < 127; ++i) CHECK(map[i] == -map[254 - i]);
  // Numbers of the published map.
  CHECK(map[0] == Approx(-0.9929687).epsilon(1e-6));
  CHECK(map[254] == Approx(0.9929687).epsilon(1e-6));
  CHECK(map[128] == Approx(5.5e-7).epsilon(1e-6));
  CHECK(map[129] == Approx(3.25e-6).epsilon(1e-6));
  CHECK(map[130] == Approx(7.75e-6).epsilon(1e-6));
}

TEST_CASE("Dynamic map: nearest, the lower of two", "[initializer]") {
  const auto& map = dynamic_map();
  const CounterRng random(1, 0);
  for (std::uint64_t i = 0; i < 5000; ++i) {
    const float value = 2.0f * random.uniform(i) - 1.0f;
    float best = map[0];
    for (const float each : map)
      if (std::fabs(each - value) < std::fabs(best - value)) best = each;
    REQUIRE(nearest_in_dynamic_map(value) == best);
  }
  for (const float each : map) CHECK(nearest_in_dynamic_map(each) == each);
  CHECK(nearest_in_dynamic_map(-1.0f) == map[0]);
}

TEST_CASE("Double quantization: close to the scales, zero points as they are", "[initializer]") {
  for (const std::size_t count : {1u, 2u, 255u, 256u, 257u, 1000u}) {
    std::vector<QParams> qparams(count);
    const CounterRng random(2, count);
    double mean = 0, most = 0;
    for (std::size_t i = 0; i < count; ++i) {
      qparams[i] = {0.01f + 0.02f * random.uniform(i), static_cast<float>(i % 16)};
      mean += double{qparams[i].scale} / static_cast<double>(count);
    }
    for (const QParams& each : qparams) most = std::max(most, std::fabs(double{each.scale} - mean));
    const auto rounded = double_quantized(qparams);
    REQUIRE(rounded.size() == count);
    for (std::size_t i = 0; i < count; ++i) {
      // The widest gap of the map is 0.9 / 64.
      CHECK(std::fabs(double{rounded[i].scale} - double{qparams[i].scale}) <=
            0.45 / 64 * most + 1e-8);
      CHECK(rounded[i].zero_point == qparams[i].zero_point);
    }
  }
  CHECK(double_quantized({}).empty());
}

TEST_CASE("Double quantization: equal scales stay; no scale ends below the floor",
          "[initializer]") {
  std::vector<float> equal(300, 0.25f);
  double_quantize(equal);
  CHECK(equal == std::vector<float>(300, 0.25f));
  std::vector<float> apart(256, 1e-6f);
  apart[7] = 3.0f;
  double_quantize(apart);
  for (const float scale : apart) CHECK(scale >= scale_floor);
  CHECK(apart[7] == Approx(3.0f));
}

TEST_CASE("Double quantization: bits of a weight", "[initializer]") {
  // 4 + 8 / 64 + 32 / (64 * 256) (QLoRA, section 3), and one mean.
  const std::size_t weights = std::size_t{4096} * 4096;
  CHECK(double_quantized_bits_per_weight(4, weights, weights / 64) ==
        Approx(4 + 0.125 + 32.0 / (64 * 256)).epsilon(1e-5));
  CHECK(double_quantized_bits_per_weight(4, 64, 1) == 4 + (8 + 32 + 32) / 64.0);
}

}  // namespace
}  // namespace lrqat::test
