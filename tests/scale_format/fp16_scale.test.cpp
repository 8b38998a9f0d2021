// SPDX-License-Identifier: MIT
// tests/scale_format/fp16_scale.test.cpp: which numbers scales become.
#include <lrqat/scale_format/fp16_scale.hpp>

#include <lrqat/core/rng.hpp>
#include <lrqat/grid/int.hpp>
#include <lrqat/grid/uint.hpp>
#include <lrqat/scale_format/any_scale.hpp>
#include <lrqat/scale_format/float32_scale.hpp>

#include <catch2/catch.hpp>

#include <cmath>
#include <limits>

namespace lrqat {
namespace {

static_assert(ScaleFormatOf<Float32Scale, Int<4>> && ScaleFormatOf<Fp16Scale, UInt<4>> &&
              ScaleFormatOf<AnyScale, Int<4>>);

bool is_half(float value) { return static_cast<float>(half(value)) == value; }

/// The nearest number of `bits` significant bits, ties to even, computed in double.
double nearest(double value, int bits) {
  const double unit = std::ldexp(1.0, std::ilogb(value) + 1 - bits);
  return std::nearbyint(value / unit) * unit;
}

TEST_CASE("Float32Scale: every scale as it is", "[scale_format]") {
  CHECK(Float32Scale::round<Int<4>>(0.1f, 0.0f) == 0.1f);
  CHECK(Float32Scale::round<UInt<4>>(1e-8f, 15.0f) == 1e-8f);
  CHECK(Float32Scale::floor() == scale_floor);
}

TEST_CASE("Fp16Scale: every half stays what it is, everything else becomes the nearest",
          "[scale_format]") {
  CHECK(Fp16Scale::floor() == 0x1p-24f);
  for (std::uint32_t bits = 1; bits < 0x7C00u; ++bits) {
    half exact;
    exact.bits = static_cast<std::uint16_t>(bits);
    const auto value = static_cast<float>(exact);
    REQUIRE(Fp16Scale::round<Int<4>>(value, 0.0f) == value);
    REQUIRE(Fp16Scale::round<UInt<8>>(value, 255.0f) == value);
    REQUIRE(Fp16Scale::round<UInt<4>>(value, 8.0f) == value);
  }
  const CounterRng random(1, 0);
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const float scale = std::ldexp(1.0f + random.uniform(i), static_cast<int>(i % 28) - 14);
    REQUIRE(Fp16Scale::round<Int<4>>(scale, 0.0f) == static_cast<float>(half(scale)));
  }
}

TEST_CASE("Fp16Scale: beside a zero point of up to 4 bits, scale * zero point is a half, too",
          "[scale_format]") {
  const CounterRng random(2, 0);
  for (int zero = 0; zero <= 15; ++zero)
    for (std::uint64_t i = 0; i < 4000; ++i) {
      // From the smallest subnormal half to 4096: 15 times that is still one.
      const float scale = std::ldexp(1.0f + random.uniform(i), static_cast<int>(i % 36) - 24);
      const auto point = static_cast<float>(zero);
      const float used = Fp16Scale::round<UInt<4>>(scale, point);
      CAPTURE(zero, scale, used);
      REQUIRE(used > 0.0f);
      REQUIRE(is_half(used));
      REQUIRE(is_half(used * point));
      // No coarser than it must be: half a unit of the last of at least 7 bits, and of 2^-24.
      const int bits = detail::scale_bits_beside(point);
      REQUIRE(bits >= 7);
      if (scale >= 0x1p-12f)
        REQUIRE(static_cast<double>(used) == nearest(static_cast<double>(scale), bits));
      else
        REQUIRE(std::fabs(used - scale) <= scale * 0x1p-7f + 0x1p-25f);
    }
  CHECK(detail::scale_bits_beside(0.0f) == 11);
  CHECK(detail::scale_bits_beside(8.0f) == 11);
  CHECK(detail::scale_bits_beside(3.0f) == 9);
  CHECK(detail::scale_bits_beside(6.0f) == 9);
  CHECK(detail::scale_bits_beside(7.0f) == 8);
  CHECK(detail::scale_bits_beside(15.0f) == 7);
  CHECK(detail::scale_bits_beside(-15.0f) == 7);
  CHECK(detail::scale_bits_beside(65535.0f) == 1);
}

TEST_CASE("Fp16Scale: ties go to the even number of the kept bits", "[scale_format]") {
  CHECK(Fp16Scale::round<Int<4>>(1.0f + 0x1p-11f, 0.0f) == 1.0f);
  CHECK(Fp16Scale::round<Int<4>>(1.0f + 0x3p-11f, 0.0f) == 1.0f + 0x1p-9f);
  CHECK(Fp16Scale::round<UInt<4>>(1.0f + 0x1p-7f, 15.0f) == 1.0f);
  CHECK(Fp16Scale::round<UInt<4>>(1.0f + 0x3p-7f, 15.0f) == 1.0f + 0x1p-5f);
  CHECK(Fp16Scale::round<UInt<4>>(2.0f - 0x1p-8f, 15.0f) == 2.0f);
}

TEST_CASE("Fp16Scale: nothing that is no number becomes one", "[scale_format]") {
  const float infinity = std::numeric_limits<float>::infinity(), nan = std::nanf("");
  CHECK(std::isnan(Fp16Scale::round<Int<4>>(nan, 0.0f)));
  CHECK(std::isnan(Fp16Scale::round<UInt<4>>(nan, 15.0f)));
  CHECK(Fp16Scale::round<Int<4>>(70000.0f, 0.0f) == infinity);
  CHECK(Fp16Scale::round<UInt<4>>(infinity, 15.0f) == infinity);
}

TEST_CASE("AnyScale: the format that the options name", "[scale_format]") {
  QuantOptions options;
  CHECK(AnyScale(options).round<Int<4>>(0.1f, 0.0f) == 0.1f);
  CHECK(AnyScale(options).floor() == scale_floor);
  options.scale_type = ScaleType::fp16;
  CHECK(AnyScale(options).round<Int<4>>(0.1f, 0.0f) == static_cast<float>(half(0.1f)));
  CHECK(AnyScale(options).round<UInt<4>>(0.1f, 15.0f) == Fp16Scale::round<UInt<4>>(0.1f, 15.0f));
  CHECK(AnyScale(options).floor() == 0x1p-24f);
}

}  // namespace
}  // namespace lrqat
