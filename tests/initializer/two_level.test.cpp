// SPDX-License-Identifier: MIT
// tests/initializer/two_level.test.cpp: QServe's two levels never leave 8 bits.
#include <lrqat/initializer/two_level.hpp>

#include <lrqat/lrqat.hpp>

#include <catch2/catch.hpp>
#include <support/matrix.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace lrqat::test {
namespace {

using Catch::Matchers::Contains;

/// Whether every level of every group in +-bound comes back as 8 bits, also on the published way,
/// scale * code minus the stored scale * zero.
bool stays_in_8_bits(int bound) {
  for (int low = -bound; low <= 0; ++low)
    for (int high = 0; high <= bound; ++high) {
      const TwoLevelGroup group = two_level_group(low, high);
      const int product = group.scale * group.zero;
      if (group.scale < 1 || group.scale > 16 || group.zero > 15 || product > 255) return false;
      for (int level = low; level <= high; ++level) {
        const int back = group.level(group.code(level));
        if (back < -128 || back > 127 || back != group.scale * group.code(level) - product)
          return false;
      }
    }
  return true;
}

TEST_CASE("TwoLevel: 119 is the largest bound that never overflows", "[initializer]") {
  CHECK(stays_in_8_bits(two_level_bound));
  CHECK_FALSE(stays_in_8_bits(two_level_bound + 1));
  const TwoLevelGroup group = two_level_group(-119, 120);
  CHECK(group.scale == 16);
  CHECK(group.zero == 7);
  CHECK(group.level(group.code(120)) == 128);
}

TEST_CASE("TwoLevel: a level is off by at most the error of its group", "[initializer]") {
  std::size_t wrong = 0;
  for (int low = -two_level_bound; low <= 0; low += 7)
    for (int high = 0; high <= two_level_bound; high += 3) {
      const TwoLevelGroup group = two_level_group(low, high);
      for (int level = low; level <= high; ++level)
        // Half a step of rounding; at the ends half a step of the zero point and half of the 15
        // steps' scale more.
        wrong += std::abs(group.level(group.code(level)) - level) > group.scale + 7.5;
    }
  CHECK(wrong == 0);
}

TEST_CASE("TwoLevel: levels of a weight, by their definition", "[initializer]") {
  const Matrix weight = random_matrix(7, 50, 0.1f, 51);  // the last group has 2
  for (const ScaleType scales : {ScaleType::float32, ScaleType::fp16}) {
    const TwoLevelWeight found = two_level(weight.view(), 16, scales);
    REQUIRE(found.groups.size() == 7 * 4);
    for (std::size_t i = 0; i < 7; ++i) {
      float largest = 0;
      for (const float w : weight.view().row(i)) largest = std::max(largest, std::fabs(w));
      const float scale = scales == ScaleType::fp16 ? static_cast<float>(half(largest / 119))
                                                    : largest / 119;
      CHECK(found.channel_scales[i] == scale);
      for (std::size_t j = 0; j < 50; ++j) {
        CHECK(found.codes[i * 50 + j] <= 15);
        const TwoLevelGroup& group = found.groups[i * 4 + j / 16];
        // Level 0 is off by half a step, level 1 by what the case above allows.
        CHECK(std::fabs(static_cast<float>(found.level(i, j)) - weight(i, j) / scale) <=
              static_cast<float>(group.scale) + 7.5f + 0.5f + 0.1f);
      }
    }
  }
}

TEST_CASE("TwoLevel: the integer product is the float one, exactly", "[initializer]") {
  const Matrix weight = random_matrix(5, 64, 0.1f, 52);
  const TwoLevelWeight found = two_level(weight.view(), 16);
  const CounterRng random(53, 1);
  for (std::size_t i = 0; i < 5; ++i) {
    std::int32_t integer = 0;
    double real = 0;
    const double token_scale = 0x1p-7;
    for (std::size_t j = 0; j < 64; ++j) {
      const auto x = static_cast<std::int8_t>(static_cast<int>(random.below(255, j)) - 127);
      integer += std::int32_t{x} * found.level(i, j);
      real += token_scale * x * static_cast<double>(found.on_one_level().weight()(i, j));
    }
    // Below 2^53 units of token scale * channel scale, a half: every step is exact.
    CHECK(real == integer * token_scale * static_cast<double>(found.channel_scales[i]));
  }
}

template <class Layer>
void check_layer(const TwoLevelWeight& found, const QuantOptions& options) {
  const WeightOnGrid one_level = found.on_one_level();
  const Layer layer(one_level.weight(), one_level.qparams, options);
  CHECK(bits_of(weight_of(layer).values) == bits_of(one_level.values));
  const auto levels = levels_of(layer);
  std::size_t wrong = 0;
  for (std::size_t k = 0; k < levels.size(); ++k) {
    const TwoLevelGroup& group = found.groups[found.layout.index(k / 64, k % 64)];
    wrong += levels[k] != found.codes[k] - group.zero;
  }
  CHECK(wrong == 0);
}

TEST_CASE("TwoLevel: a layer of UInt<4> and groups has its codes and, with halves, its weight",
          "[initializer]") {
  const Matrix weight = random_matrix(5, 64, 0.1f, 54);
  QuantOptions options;
  options.group_size = 16;
  for (const ScaleType scales : {ScaleType::float32, ScaleType::fp16}) {
    const TwoLevelWeight found = two_level(weight.view(), 16, scales);
    check_layer<QuantLinear<UInt<4>, PerGroup<dynamic>, LowRank<2>>>(found, options);
    const WeightOnGrid one_level = found.on_one_level();
    for (std::size_t i = 0; i < 5; ++i)
      for (std::size_t j = 0; j < 64; ++j) {
        const double exact = static_cast<double>(found.channel_scales[i]) * found.level(i, j);
        const double got = static_cast<double>(one_level.weight()(i, j));
        if (scales == ScaleType::fp16) CHECK(got == exact);
        CHECK(std::fabs(got - exact) <= 0x1p-22 * std::fabs(exact));
      }
  }
}

TEST_CASE("TwoLevel: channels of zeros, and what cannot be stored", "[initializer]") {
  Matrix weight(2, 8);
  weight(1, 3) = 1.0f;
  const TwoLevelWeight found = two_level(weight.view(), 4);
  CHECK(found.channel_scales[0] == 0x1p-24f);
  for (std::size_t j = 0; j < 8; ++j) CHECK(found.level(0, j) == 0);
  CHECK(std::abs(found.level(1, 3) - 119) <= 8);
  CHECK(found.level(1, 7) == 0);
  weight(0, 0) = 1e8f;
  CHECK_THROWS_WITH(two_level(weight.view(), 4), Contains("use ScaleType::float32"));
  CHECK(std::isfinite(two_level(weight.view(), 4, ScaleType::float32).channel_scales[0]));
  weight(0, 1) = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_WITH(two_level(weight.view(), 4), Contains("weight (0, 1) is not finite"));
  CHECK_THROWS_WITH(two_level(Matrix(2, 8).view(), 9), Contains("fewer than one group"));
}

}  // namespace
}  // namespace lrqat::test
