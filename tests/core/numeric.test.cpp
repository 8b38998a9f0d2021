// SPDX-License-Identifier: MIT
// tests/core/numeric.test.cpp: rounding against the C library, select, clamp, fused multiply-add.
#include <lrqat/core/numeric.hpp>

#include <lrqat/core/rng.hpp>

#include <catch2/catch.hpp>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace {

template <class V>
using Word = std::conditional_t<sizeof(V) == 4, std::uint32_t, std::uint64_t>;

/// Equal bits, and NaN for NaN.
template <class V>
bool same(V left, V right) {
  return (std::isnan(left) && std::isnan(right)) ||
         std::bit_cast<Word<V>>(left) == std::bit_cast<Word<V>>(right);
}

template <class V>
void check_rounding(V u) {
  for (const V value : {u, -u})
    if (!same(lrqat::round_half_even(value), std::nearbyint(value))) {
      INFO("value " << value);
      REQUIRE(lrqat::round_half_even(value) == std::nearbyint(value));
      REQUIRE(same(lrqat::round_half_even(value), std::nearbyint(value)));
    }
  for (const V value : {u, -u})
    if (!same(lrqat::round_down(value), std::floor(value))) {
      INFO("value " << value);
      REQUIRE(lrqat::round_down(value) == std::floor(value));
      REQUIRE(same(lrqat::round_down(value), std::floor(value)));
    }
}

template <class V>
void check_around(V u) {
  check_rounding(u);
  check_rounding(std::nextafter(u, std::numeric_limits<V>::infinity()));
  check_rounding(std::nextafter(u, V(0)));
}

}  // namespace

TEMPLATE_TEST_CASE("select: one of two, bit by bit", "[core]", float, double) {
  const TestType nan = std::numeric_limits<TestType>::quiet_NaN();
  CHECK(lrqat::select(true, TestType(1), nan) == TestType(1));
  CHECK(std::isnan(lrqat::select(false, TestType(1), nan)));
  CHECK(same(lrqat::select(true, -TestType(0), TestType(0)), -TestType(0)));
}

TEMPLATE_TEST_CASE("round_half_even, round_down: equal nearbyint, floor", "[core]", float, double) {
  using Limits = std::numeric_limits<TestType>;
  SECTION("ties and their neighbours") {
    for (int i = 0; i < 5000; ++i) check_around(TestType(i) + TestType(0.5));
    for (int i = 0; i < 5000; ++i) check_around(TestType(i));
  }
  SECTION("around every power of two") {
    for (int power = Limits::min_exponent - 1; power < Limits::max_exponent; ++power) {
      const TestType u = std::ldexp(TestType(1), power);
      check_around(u);
      check_around(u + TestType(0.5));
      check_around(u - TestType(0.5));
      check_around(u + TestType(1.5));
    }
  }
  SECTION("extremes") {
    check_around(TestType(0));
    check_around(Limits::max());
    check_around(Limits::denorm_min());
    check_rounding(Limits::infinity());
    check_rounding(Limits::quiet_NaN());
  }
  SECTION("random bit patterns") {
    const lrqat::CounterRng random(11, 0);
    for (std::uint64_t i = 0; i < 200000; ++i) {
      const std::uint64_t bits = (std::uint64_t{random.bits(2 * i)} << 32) | random.bits(2 * i + 1);
      check_rounding(std::bit_cast<TestType>(static_cast<Word<TestType>>(bits)));
    }
  }
  SECTION("random values in the range of codes") {
    const lrqat::CounterRng random(12, 0);
    for (std::uint64_t i = 0; i < 200000; ++i)
      check_rounding(TestType(1000) * TestType(random.normal(i)));
  }
}

TEMPLATE_TEST_CASE("clamp: limits, and NaN stays", "[core]", float, double) {
  const TestType low = -8, high = 7;
  CHECK(lrqat::clamp(TestType(-9), low, high) == low);
  CHECK(lrqat::clamp(TestType(-8), low, high) == low);
  CHECK(lrqat::clamp(TestType(0.25), low, high) == TestType(0.25));
  CHECK(lrqat::clamp(TestType(7), low, high) == high);
  CHECK(lrqat::clamp(TestType(7.5), low, high) == high);
  CHECK(lrqat::clamp(std::numeric_limits<TestType>::infinity(), low, high) == high);
  CHECK(lrqat::clamp(-std::numeric_limits<TestType>::infinity(), low, high) == low);
  CHECK(std::isnan(lrqat::clamp(std::numeric_limits<TestType>::quiet_NaN(), low, high)));
}

TEST_CASE("fused_multiply_add: rounds once", "[core]") {
  const float a = 1.0f + 0x1p-12f;  // a^2 = 1 + 2^-11 + 2^-24, whose last bit float cannot keep
  CHECK(lrqat::fused_multiply_add(a, a, -(1.0f + 0x1p-11f)) == 0x1p-24f);
  const double b = 1.0 + 0x1p-27;
  CHECK(lrqat::fused_multiply_add(b, b, -(1.0 + 0x1p-26)) == 0x1p-54);
}
