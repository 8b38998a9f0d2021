// SPDX-License-Identifier: MIT
// tests/initializer/full_range.test.cpp: the lowest level of a signed grid is used.
#include <lrqat/initializer/full_range.hpp>

#include <lrqat/grid/int.hpp>
#include <lrqat/grid/uint.hpp>
#include <lrqat/initializer/min_max.hpp>

#include <catch2/catch.hpp>

#include <vector>

using namespace lrqat;

static_assert(InitializerOf<FullRange, Int<4>> && InitializerOf<FullRange, UInt<4>>);

TEST_CASE("FullRange: the largest weight falls on the lowest level", "[initializer]") {
  const std::vector<float> group{0.5f, -2.0f, 1.0f};
  CHECK(FullRange::choose<Int<2>>(group).scale == 1.0f);
  CHECK(FullRange::choose<Int<3>>(group).scale == 0.5f);
  CHECK(FullRange::choose<Int<8>>(group).scale == 2.0f / 128.0f);
  CHECK(FullRange::choose<Int<4>>(std::vector<float>{4.0f, -1.0f}).scale == 0.5f);
}

TEST_CASE("FullRange: a group of zeros gets the scale floor", "[initializer]") {
  CHECK(FullRange::choose<Int<4>>(std::vector<float>{0.0f, 0.0f}).scale == scale_floor);
}

TEST_CASE("FullRange: with a zero point no level is unused, as in MinMax", "[initializer]") {
  const std::vector<float> group{0.5f, -2.0f, 1.0f};
  const QParams full = FullRange::choose<UInt<3>>(group), whole = MinMax::choose<UInt<3>>(group);
  CHECK(full.scale == whole.scale);
  CHECK(full.zero_point == whole.zero_point);
}
