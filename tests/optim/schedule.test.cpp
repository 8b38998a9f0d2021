// SPDX-License-Identifier: MIT
// tests/optim/schedule.test.cpp
#include <lrqat/optim/schedule.hpp>

#include <catch2/catch.hpp>

using lrqat::LinearWarmupDecay;

TEST_CASE("LinearWarmupDecay: the first warm-up step is 0, the peak is 1, the end is 0",
          "[optim]") {
  const LinearWarmupDecay schedule(2, 6);
  const double expected[] = {0, 0.5, 1, 0.75, 0.5, 0.25, 0, 0};
  for (std::uint64_t t = 0; t < 8; ++t) CHECK(schedule(t) == expected[t]);
}

TEST_CASE("LinearWarmupDecay: no warm-up starts at 1, all warm-up never arrives", "[optim]") {
  const LinearWarmupDecay none(0, 4);
  CHECK(none(0) == 1.0);
  CHECK(none(3) == 0.25);
  const LinearWarmupDecay all(4, 4);
  CHECK(all(3) == 0.75);
  CHECK(all(4) == 0.0);
}

TEST_CASE("LinearWarmupDecay: impossible lengths are errors with both numbers", "[optim]") {
  CHECK_THROWS_WITH(LinearWarmupDecay(5, 4), Catch::Contains("5") && Catch::Contains("4"));
  CHECK_THROWS_AS(LinearWarmupDecay(0, 0), lrqat::Error);
}

TEST_CASE("ConstantSchedule: is 1", "[optim]") { CHECK(lrqat::ConstantSchedule{}(123) == 1.0); }
