// SPDX-License-Identifier: MIT
// tests/initializer/outlier_suppression.test.cpp: shift and scale of Outlier Suppression+.
#include <lrqat/initializer/outlier_suppression.hpp>

#include <lrqat/initializer/channel_scale.hpp>
#include <lrqat/initializer/input_statistics.hpp>

#include <catch2/catch.hpp>
#include <support/matrix.hpp>

#include <cmath>
#include <limits>
#include <vector>

namespace lrqat::test {
namespace {

using Catch::Matchers::Contains;

/// Channels around centres of their own, of very different widths.
Matrix off_centre(std::size_t tokens, std::size_t in) {
  Matrix x = random_matrix(tokens, in, 1.0f, 31);
  const CounterRng random(32, 1);
  for (std::size_t t = 0; t < tokens; ++t)
    for (std::size_t j = 0; j < in; ++j)
      x(t, j) = x(t, j) * std::exp(2 * random.normal(j)) + 20 * random.normal(in + j);
  return x;
}

InputStatistics statistics_of(const Matrix& x) {
  InputStatistics statistics(x.cols, GramMatrix::left_out);
  statistics.add(x.view());
  return statistics;
}

Matrix shifted(const Matrix& x, std::span<const float> shift) {
  Matrix moved = x;
  for (std::size_t t = 0; t < x.rows; ++t)
    for (std::size_t j = 0; j < x.cols; ++j) moved(t, j) -= shift[j];
  return moved;
}

TEST_CASE("OsPlus: a shifted channel reaches as far up as down", "[initializer]") {
  const Matrix x = off_centre(101, 17);
  const InputStatistics before = statistics_of(x);
  const auto shift = os_plus_shift(before.low(), before.high());
  const InputStatistics after = statistics_of(shifted(x, shift));
  for (std::size_t j = 0; j < 17; ++j) {
    // The shift is rounded once, each difference once: of numbers up to the largest |x|.
    const float size = before.max_abs()[j];
    CHECK(std::fabs(after.high()[j] + after.low()[j]) <= 4 * 0x1p-24f * size);
  }
}

TEST_CASE("OsPlus: nothing is beyond the bound, and what was inside stays", "[initializer]") {
  const InputStatistics x = statistics_of(off_centre(101, 40));
  for (const float bound : {0.5f, 3.0f, 1e4f}) {
    const auto scale = os_plus_scale(x.low(), x.high(), bound);
    const InputStatistics after = x.divided_by(scale);
    for (std::size_t j = 0; j < 40; ++j) {
      CHECK(after.max_abs()[j] <= bound * (1 + 2 * 0x1p-24f));  // scale and quotient rounded
      if (x.max_abs()[j] <= bound) CHECK(scale[j] == 1.0f);
      if (x.max_abs()[j] > bound) CHECK(scale[j] > 1.0f);
    }
  }
}

TEST_CASE("OsPlus: outputs are what they were, with the bias that takes the shift",
          "[initializer]") {
  const Matrix x = off_centre(50, 23), weight = random_matrix(9, 23, 0.1f, 33);
  const std::vector<float> bias(9, 0.5f);
  const InputStatistics before = statistics_of(x);
  const auto shift = os_plus_shift(before.low(), before.high());
  const Matrix moved = shifted(x, shift);
  const InputStatistics after = statistics_of(moved);
  const auto scale = os_plus_scale(after.low(), after.high(), 2.0f);
  const auto new_bias = os_plus_bias(weight.view(), shift, bias);
  Matrix scaled(9, 23);
  scale_columns(weight.view(), scale, scaled.view());
  std::size_t wrong = 0;
  for (std::size_t t = 0; t < 50; ++t)
    for (std::size_t i = 0; i < 9; ++i) {
      double plain = 0.5, folded = static_cast<double>(new_bias[i]), size = 0.5;
      for (std::size_t j = 0; j < 23; ++j) {
        const double w = static_cast<double>(weight(i, j));
        plain += w * static_cast<double>(x(t, j));
        folded += static_cast<double>(moved(t, j) / scale[j]) * static_cast<double>(scaled(i, j));
        size += std::fabs(w) * (std::fabs(static_cast<double>(x(t, j))) +
                                2 * std::fabs(static_cast<double>(shift[j])));
      }
      // Per term: x - z, the quotient and W s are rounded; the bias once: at most 4 of its size.
      wrong += std::fabs(folded - plain) > 4 * 0x1p-24 * size;
    }
  CHECK(wrong == 0);
  const auto from_none = os_plus_bias(weight.view(), shift);
  for (std::size_t i = 0; i < 9; ++i) CHECK(from_none[i] + 0.5f == Approx(new_bias[i]));
}

TEST_CASE("OsPlus: the search tries the published bounds and keeps the best", "[initializer]") {
  const std::vector<float> low{-3.0f, -0.5f}, high{11.0f, 0.25f};
  std::vector<float> tried;
  const auto found = os_plus_search(low, high, [&](std::span<const float> scale, float bound) {
    CHECK(scale[1] == 1.0f);
    CHECK(scale[0] == 11.0f / bound);
    tried.push_back(bound);
    return std::fabs(static_cast<double>(bound) - 4.04);
  });
  REQUIRE(tried.size() == 101);
  CHECK(tried.front() == 11.0f);
  CHECK(tried.back() == 1.0f);
  CHECK(found.bound == Approx(4.0));  // 11 - 70 * 0.1
  CHECK(found.scale == os_plus_scale(low, high, found.bound));

  std::size_t calls = 0;
  os_plus_search(std::vector<float>{-200}, std::vector<float>{100},
                 [&](std::span<const float>, float) { return static_cast<double>(++calls); });
  CHECK(calls == 401);
  calls = 0;
  const auto inside = os_plus_search(std::vector<float>{-1}, std::vector<float>{0.5f},
                                     [&](std::span<const float>, float) {
                                       return static_cast<double>(++calls);
                                     });
  CHECK(calls == 1);
  CHECK(inside.scale == std::vector<float>{1.0f});
}

TEST_CASE("OsPlus: one clear error for each thing that does not fit", "[initializer]") {
  const std::vector<float> one{1.0f}, two{2.0f}, both{1.0f, 2.0f};
  const std::vector<float> nan{std::numeric_limits<float>::quiet_NaN()};
  CHECK_THROWS_WITH(os_plus_shift(two, one), Contains("channel 0 lies between 2 and 1"));
  CHECK_THROWS_WITH(os_plus_shift(one, both), Contains("1 minima and 2 maxima"));
  CHECK_THROWS_WITH(os_plus_shift(nan, one), Contains("lies between nan"));
  CHECK_THROWS_WITH(os_plus_scale(one, two, 0.0f), Contains("the bound is 0"));
  CHECK_THROWS_WITH(os_plus_bias(Matrix(2, 3).view(), both), Contains("the shift has 2"));
  CHECK_THROWS_WITH(
      os_plus_search(one, two, [](std::span<const float>, float) { return std::nan(""); }),
      Contains("bound 2 is not a number"));
}

}  // namespace
}  // namespace lrqat::test
