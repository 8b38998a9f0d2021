// SPDX-License-Identifier: MIT
// kernel/reduce.test.cpp: sums and extremes over rows of every length.
#include <lrqat/kernel/reduce.hpp>

#include <catch2/catch.hpp>

#include <cstdint>
#include <limits>
#include <vector>

TEST_CASE("sum_over: every term once, for every length", "[kernel]") {
  for (std::size_t count = 0; count <= 70; ++count) {
    const int sum =
        lrqat::kernel::sum_over<int>(count, [](std::size_t i) { return static_cast<int>(i + 1); });
    CHECK(sum == static_cast<int>(count * (count + 1) / 2));
  }
}

TEST_CASE("sum_over: adds in the type it is asked for", "[kernel]") {
  // 2^24 + 1 is no float.
  const double sum = lrqat::kernel::sum_over<double>(17, [](std::size_t i) {
    return i == 0 ? 0x1p24f : i == 16 ? 1.0f : 0.0f;
  });
  CHECK(sum == 0x1p24 + 1);
}

TEST_CASE("sum_of_bytes: every byte once, for every length", "[kernel]") {
  std::vector<std::uint8_t> bytes(200);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(255 - i % 7);
  std::int32_t expected = 0;
  for (std::size_t count = 0; count < bytes.size(); expected += bytes[count++])
    CHECK(lrqat::kernel::sum_of_bytes(bytes.data(), count) == expected);
}

TEST_CASE("sum_of_bytes: as many of the largest as partial sums of 16 bits hold, and more",
          "[kernel]") {
  const std::vector<std::uint8_t> bytes(2 * 257 * 64 + 70, 255);
  for (const std::size_t rounds : {256u, 257u, 258u, 514u, 515u})
    CHECK(lrqat::kernel::sum_of_bytes(bytes.data(), rounds * 64) ==
          static_cast<std::int32_t>(rounds * 64 * 255));
}

TEST_CASE("max_over: finds the largest wherever it is", "[kernel]") {
  for (std::size_t count = 1; count <= 50; ++count)
    for (std::size_t where = 0; where < count; ++where) {
      std::vector<float> values(count, -3.0f);
      values[where] = -1.5f;
      CHECK(lrqat::kernel::max_over(values.data(), count) == -1.5f);
    }
  const std::vector<float> lowest(20, -std::numeric_limits<float>::infinity());
  CHECK(lrqat::kernel::max_over(lowest.data(), lowest.size()) == lowest[0]);
}

TEST_CASE("extremes_over: both wherever they are, the start and no NaN among them", "[kernel]") {
  using lrqat::kernel::Extremes;
  using lrqat::kernel::extremes_over;
  for (std::size_t count = 2; count <= 50; ++count)
    for (std::size_t where = 0; where < count; ++where) {
      std::vector<double> values(count, 0.5);
      values[where] = -3.0;
      values[(where + 1) % count] = 2.0;
      const auto found = extremes_over(values.data(), count, Extremes<double>{0.0, 1.0});
      CHECK(found.low == -3.0);
      CHECK(found.high == 2.0);
      values[where] = values[(where + 1) % count] = std::numeric_limits<double>::quiet_NaN();
      const auto left = extremes_over(values.data(), count, Extremes<double>{0.75, 1.0});
      CHECK(left.low == (count == 2 ? 0.75 : 0.5));
      CHECK(left.high == 1.0);
    }
  CHECK(extremes_over<float>(nullptr, 0, {4.0f, -4.0f}).low == 4.0f);
}
