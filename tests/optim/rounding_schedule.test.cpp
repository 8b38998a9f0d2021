// SPDX-License-Identifier: MIT
// tests/optim/rounding_schedule.test.cpp: when learned rounding is pushed to integers, and how.
#include <lrqat/optim/rounding_schedule.hpp>

#include <catch2/catch.hpp>

namespace lrqat {
namespace {

TEST_CASE("RoundingSchedule: nothing in the first fifth, then from 20 to 2", "[optim]") {
  const RoundingSchedule schedule(1000);
  CHECK(schedule.weight(0) == 0.0);
  CHECK(schedule.weight(199) == 0.0);
  CHECK(schedule.weight(200) == 0.01);
  CHECK(schedule.weight(5000) == 0.01);
  CHECK(schedule.exponent(0) == 20.0);
  CHECK(schedule.exponent(200) == 20.0);
  CHECK(schedule.exponent(600) == Approx(11.0));
  CHECK(schedule.exponent(1000) == 2.0);
  CHECK(schedule.exponent(5000) == 2.0);
  for (std::uint64_t step = 0; step < 1000; ++step)
    CHECK(schedule.exponent(step + 1) <= schedule.exponent(step));
}

TEST_CASE("RoundingSchedule: settings of one's own, and those that make no sense", "[optim]") {
  const RoundingSchedule schedule(
      10, {.warmup = 0, .first_exponent = 8, .last_exponent = 4, .weight = 0.5});
  CHECK(schedule.weight(0) == 0.5);
  CHECK(schedule.exponent(0) == 8.0);
  CHECK(schedule.exponent(5) == Approx(6.0));
  CHECK(RoundingSchedule(1).exponent(0) == 20.0);
  CHECK_THROWS_WITH(RoundingSchedule(0), Catch::Contains("at least 1"));
  CHECK_THROWS_WITH(RoundingSchedule(10, {.warmup = 1}), Catch::Contains("no warm-up"));
}

}  // namespace
}  // namespace lrqat
