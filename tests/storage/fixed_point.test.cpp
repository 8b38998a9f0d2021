// SPDX-License-Identifier: MIT
// tests/storage/fixed_point.test.cpp: one byte a weight, b integer bits and 8 - b of fraction.
#include <lrqat/storage/fixed_point.hpp>

#include <lrqat/core/expects.hpp>
#include <lrqat/grid/int.hpp>
#include <lrqat/grid/uint.hpp>

#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

namespace lrqat {
namespace {

template <class G>
float stored(float value, float zero_point = 0.0f) {
  using Bound = FixedPoint::bound_to<G>;
  std::byte row[3]{std::byte{1}, std::byte{2}, std::byte{3}};
  Bound::encode(std::span<const float>(&value, 1), zero_point, row, 1);
  CHECK((row[0] == std::byte{1} && row[2] == std::byte{3}));
  float read = 0.0f;
  Bound::decode(row, 1, zero_point, {&read, 1});
  return read;
}

TEMPLATE_TEST_CASE_SIG("FixedPoint: every byte of the format survives", "[storage]",
                       ((int Bits), Bits), 2, 3, 4, 5, 6, 7, 8) {
  using G = Int<Bits>;
  using Bound = FixedPoint::bound_to<G>;
  STATIC_REQUIRE(Bound::fraction_bits == 8 - Bits);
  constexpr int unit = 1 << Bound::fraction_bits;
  for (int byte = G::code_min * unit; byte <= G::code_max * unit; ++byte) {
    const float value = static_cast<float>(byte) / unit;
    CHECK(stored<G>(value) == value);
  }
}

TEMPLATE_TEST_CASE_SIG("FixedPoint: the error inside the grid is at most half a step of the byte",
                       "[storage]", ((int Bits), Bits), 2, 3, 4, 8) {
  using G = Int<Bits>;
  const float bound = std::ldexp(1.0f, Bits - 9);
  for (int i = G::code_min * 100; i <= G::code_max * 100; ++i) {
    const float value = static_cast<float>(i) / 100.0f;
    CHECK(std::fabs(stored<G>(value) - value) <= bound);
  }
}

TEST_CASE("FixedPoint: clips before it scales, ties to even", "[storage]") {
  CHECK(stored<Int<4>>(7.9f) == 7.0f);  // byte 112, not 126
  CHECK(stored<Int<4>>(1e30f) == 7.0f);
  CHECK(stored<Int<4>>(-1e30f) == -8.0f);
  CHECK(stored<Int<4>>(0.5f / 16) == 0.0f);
  CHECK(stored<Int<4>>(1.5f / 16) == 2.0f / 16);
  CHECK(stored<Int<4>>(-0.5f / 16) == 0.0f);
  CHECK(stored<Int<3>>(2.5f / 32) == 2.0f / 32);
}

TEST_CASE("FixedPoint: grids with a zero point keep t + z in an unsigned byte", "[storage]") {
  for (const float zero : {0.0f, 3.0f, 15.0f})
    for (int byte = 0; byte <= 15 * 16; ++byte) {
      const float value = static_cast<float>(byte) / 16.0f - zero;
      CHECK(stored<UInt<4>>(value, zero) == value);
    }
  CHECK(stored<UInt<4>>(100.0f, 3.0f) == 12.0f);
  CHECK(stored<UInt<4>>(-100.0f, 3.0f) == -3.0f);
}

/// Levels two steps beyond the integers that the codes can say.
struct WideGrid : Int<4> {
  template <class V>
  static V clip(V rounded, V) {
    return clamp(rounded, V(-16), V(15));
  }
};

TEST_CASE("FixedPoint: a level that does not fit is an error, not a wrapped byte", "[storage]") {
  CHECK(stored<WideGrid>(7.0f) == 7.0f);
  std::byte row{};
  const float value = 9.0f;
  CHECK_THROWS_WITH(
      FixedPoint::bound_to<WideGrid>::encode(std::span<const float>(&value, 1), 0.0f, &row, 0),
      Catch::Matchers::Contains("9"));
}

TEST_CASE("FixedPoint: every byte pattern decodes", "[storage]") {
  for (int pattern = 0; pattern < 256; ++pattern) {
    const auto byte = static_cast<std::byte>(pattern);
    float level = 0.0f;
    FixedPoint::bound_to<Int<4>>::decode(&byte, 0, 0.0f, {&level, 1});
    CHECK(level == static_cast<float>(static_cast<std::int8_t>(pattern)) / 16.0f);
    FixedPoint::bound_to<UInt<4>>::decode(&byte, 0, 2.0f, {&level, 1});
    CHECK(level == static_cast<float>(pattern) / 16.0f - 2.0f);
  }
}

}  // namespace
}  // namespace lrqat
