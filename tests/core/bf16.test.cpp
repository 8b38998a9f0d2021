// SPDX-License-Identifier: MIT
// tests/core/bf16.test.cpp: bfloat16 and half, bit for bit.
#include <lrqat/core/bf16.hpp>

#include <lrqat/core/rng.hpp>

#include <catch2/catch.hpp>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace {

using lrqat::bf16;
using lrqat::half;

float as_float(std::uint32_t bits) { return std::bit_cast<float>(bits); }

template <class Short>
Short from_bits(std::uint32_t bits) {
  Short value;
  value.bits = static_cast<std::uint16_t>(bits);
  return value;
}

template <class Short>
float widened(std::uint32_t bits) {
  return static_cast<float>(from_bits<Short>(bits));
}

/// The value of a half, from its definition in IEEE 754, in double.
double half_value(std::uint32_t bits) {
  const int exponent = static_cast<int>((bits >> 10) & 31u);
  const double fraction = bits & 1023u;
  const double magnitude =
      exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024.0 + fraction, exponent - 25);
  return bits & 0x8000u ? -magnitude : magnitude;
}

/// Rounds `value` as the definition says: to the nearer of two neighbours among the finite values
/// of Short and the one that would follow the largest, ties to the even pattern. Positive only.
template <class Short>
void check_between(std::uint32_t lower, double low, double high, int halvings) {
  // Points at low + (high - low) * {0, tiny, 1/2 - tiny, 1/2, 1/2 + tiny, 1 - tiny}.
  const double step = (high - low) * std::ldexp(1.0, -halvings);
  const double middle = low + (high - low) / 2;
  const std::uint32_t even = lower % 2 == 0 ? lower : lower + 1;
  const auto check = [&](double value, std::uint32_t expected) {
    const float exact = static_cast<float>(value);
    REQUIRE(static_cast<double>(exact) == value);
    REQUIRE(Short(exact).bits == expected);
    REQUIRE(Short(-exact).bits == (expected | 0x8000u));
  };
  check(low, lower);
  check(low + step, lower);
  check(middle - step, lower);
  check(middle, even);
  check(middle + step, lower + 1);
  check(high - step, lower + 1);
}

static_assert(bf16(1.0f).bits == 0x3F80 && static_cast<float>(bf16(-2.5f)) == -2.5f);
static_assert(half(1.0f).bits == 0x3C00 && static_cast<float>(half(-2.5f)) == -2.5f);

}  // namespace

TEST_CASE("bf16: known values", "[core]") {
  CHECK(bf16(0.0f).bits == 0x0000);
  CHECK(bf16(-0.0f).bits == 0x8000);
  CHECK(bf16(3.14159274f).bits == 0x4049);
  CHECK(bf16(0.1f).bits == 0x3DCD);
  CHECK(bf16(1.0f + 0x1p-8f).bits == 0x3F80);  // tie, to even
  CHECK(bf16(1.0f + 0x3p-8f).bits == 0x3F82);  // tie, to even
  CHECK(bf16(std::numeric_limits<float>::max()).bits == 0x7F80);
  CHECK(bf16(as_float(0x7F7F7FFFu)).bits == 0x7F7F);  // just below the tie with 2^128
  CHECK(bf16(as_float(0x7F7F8000u)).bits == 0x7F80);
  CHECK(bf16(std::numeric_limits<float>::infinity()).bits == 0x7F80);
  CHECK(bf16(-std::numeric_limits<float>::infinity()).bits == 0xFF80);
  CHECK(bf16(std::numeric_limits<float>::denorm_min()).bits == 0x0000);
  CHECK(bf16(as_float(0x00008001u)).bits == 0x0001);
}

TEST_CASE("bf16: NaN stays NaN, whatever its payload", "[core]") {
  for (const std::uint32_t bits : {0x7F800001u, 0x7FFFFFFFu, 0x7FC00000u, 0xFF800001u, 0xFFFFFFFFu})
    CHECK(std::isnan(static_cast<float>(bf16(as_float(bits)))));
}

TEST_CASE("bf16: every pattern survives float and back", "[core]") {
  for (std::uint32_t bits = 0; bits < 0x10000u; ++bits) {
    const float value = widened<bf16>(bits);
    REQUIRE(std::bit_cast<std::uint32_t>(value) == bits << 16);
    if (std::isnan(value))
      REQUIRE(std::isnan(static_cast<float>(bf16(value))));
    else
      REQUIRE(bf16(value).bits == bits);
  }
}

TEST_CASE("bf16: rounds to nearest, ties to even, between all neighbours", "[core]") {
  for (std::uint32_t bits = 0; bits < 0x7F7Fu; ++bits)
    check_between<bf16>(bits, widened<bf16>(bits), widened<bf16>(bits + 1), 16);
}

TEST_CASE("half: every pattern has the value of its definition", "[core]") {
  for (std::uint32_t bits = 0; bits < 0x10000u; ++bits) {
    const float value = widened<half>(bits);
    if ((bits & 0x7C00u) == 0x7C00u) {
      if (bits & 0x3FFu)
        REQUIRE(std::isnan(value));
      else
        REQUIRE(value == (bits & 0x8000u ? -std::numeric_limits<float>::infinity()
                                         : std::numeric_limits<float>::infinity()));
    } else {
      REQUIRE(static_cast<double>(value) == half_value(bits));
      REQUIRE(std::signbit(value) == ((bits & 0x8000u) != 0));
    }
  }
}

TEST_CASE("half: every pattern survives float and back", "[core]") {
  for (std::uint32_t bits = 0; bits < 0x10000u; ++bits) {
    const float value = widened<half>(bits);
    if (std::isnan(value))
      REQUIRE(std::isnan(static_cast<float>(half(value))));
    else
      REQUIRE(half(value).bits == bits);
  }
}

TEST_CASE("half: rounds to nearest, ties to even, between all neighbours", "[core]") {
  for (std::uint32_t bits = 0; bits < 0x7BFFu; ++bits)
    check_between<half>(bits, half_value(bits), half_value(bits + 1), 13);
}

TEST_CASE("half: beyond the largest value", "[core]") {
  CHECK(half(65504.0f).bits == 0x7BFF);
  CHECK(half(std::nextafter(65520.0f, 0.0f)).bits == 0x7BFF);
  CHECK(half(65520.0f).bits == 0x7C00);  // tie with 2^16, whose pattern is even
  CHECK(half(-65520.0f).bits == 0xFC00);
  CHECK(half(std::numeric_limits<float>::max()).bits == 0x7C00);
  CHECK(half(-std::numeric_limits<float>::infinity()).bits == 0xFC00);
}

TEST_CASE("half: tiny values keep their sign", "[core]") {
  CHECK(half(0x1p-25f).bits == 0x0000);  // tie, to even
  CHECK(half(std::nextafter(0x1p-25f, 1.0f)).bits == 0x0001);
  CHECK(half(-0x1p-26f).bits == 0x8000);
  CHECK(half(std::numeric_limits<float>::denorm_min()).bits == 0x0000);
  CHECK(half(-0.0f).bits == 0x8000);
}

TEST_CASE("half: NaN stays NaN, whatever its payload", "[core]") {
  for (const std::uint32_t bits : {0x7F800001u, 0x7FFFFFFFu, 0xFF800001u, 0xFFFFFFFFu})
    CHECK(std::isnan(static_cast<float>(half(as_float(bits)))));
}
