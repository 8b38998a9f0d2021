// SPDX-License-Identifier: MIT
// tests/initializer/input_statistics.test.cpp: statistics of inputs against their definitions.
#include <lrqat/initializer/input_statistics.hpp>

#include <catch2/catch.hpp>
#include <support/matrix.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace lrqat::test {
namespace {

using Catch::Matchers::Contains;

bool same_gram(const InputStatistics& a, const InputStatistics& b) {
  const std::size_t in = a.in_features();
  return std::equal(a.gram().data, a.gram().data + in * in, b.gram().data);
}

TEST_CASE("InputStatistics: extremes, means and products are those of the tokens",
          "[initializer]") {
  for (const std::size_t in : {1u, 7u, 131u}) {
    const std::size_t tokens = 301;
    Matrix x = random_matrix(tokens, in, 1.0f, 3);
    for (std::size_t t = 0; t < tokens; ++t) x(t, 0) = 1 + std::fabs(x(t, 0));  // never 0
    InputStatistics all(in);
    all.add(x.view().block(0, 0, 100, in));
    all.add(x.view().block(100, 0, 0, in));
    all.add(x.view().block(100, 0, tokens - 100, in));
    REQUIRE(all.tokens() == tokens);
    std::size_t wrong = 0;
    for (std::size_t j = 0; j < in; ++j) {
      float low = x(0, j), high = x(0, j);
      double absolute = 0;
      for (std::size_t t = 0; t < tokens; ++t) {
        low = std::min(low, x(t, j));
        high = std::max(high, x(t, j));
        absolute += std::fabs(static_cast<double>(x(t, j)));
      }
      wrong += all.low()[j] != low || all.high()[j] != high;
      wrong += all.max_abs()[j] != std::max(std::fabs(low), std::fabs(high));
      wrong += all.mean_abs()[j] != absolute / static_cast<double>(tokens);
      for (std::size_t i = 0; i < in; ++i) {
        double product = 0, size = 0;
        for (std::size_t t = 0; t < tokens; ++t) {
          const double term = static_cast<double>(x(t, i)) * static_cast<double>(x(t, j));
          product += term;
          size += std::fabs(term);
        }
        // Chains of at most 256 float multiply-adds, each rounding a partial sum below `size`.
        wrong += std::fabs(all.gram()(i, j) - product) > 256 * 0x1p-24 * size;
        wrong += all.gram()(i, j) != all.gram()(j, i);
      }
    }
    CHECK(wrong == 0);
    CHECK(all.low()[0] >= 1.0f);  // the first token counts, not a zero before it
  }
}

TEST_CASE("InputStatistics: the same bits for any number of threads", "[initializer]") {
  const Matrix x = random_matrix(300, 261, 1.0f, 4);
  const int before = thread_count();
  set_thread_count(1);
  InputStatistics alone(261);
  alone.add(x.view());
#if defined(_OPENMP)
  set_thread_count(3);
#endif
  InputStatistics together(261);
  together.add(x.view());
  set_thread_count(before);
  CHECK(same_gram(alone, together));
  CHECK(alone.mean_abs() == together.mean_abs());
}

TEST_CASE("InputStatistics: divided by powers of two they are those of the divided tokens",
          "[initializer]") {
  const Matrix x = random_matrix(70, 5, 1.0f, 5);
  const std::vector<float> scale{1, 2, 0.25f, 8, 0.5f};
  Matrix divided = x;
  for (std::size_t t = 0; t < 70; ++t)
    for (std::size_t j = 0; j < 5; ++j) divided(t, j) /= scale[j];
  InputStatistics one(5), other(5);
  one.add(x.view());
  other.add(divided.view());
  const InputStatistics folded = one.divided_by(scale);
  CHECK(same_gram(folded, other));
  CHECK(folded.mean_abs() == other.mean_abs());
  CHECK(folded.max_abs() == other.max_abs());
  CHECK(folded.tokens() == 70);
  CHECK_THROWS_WITH(one.divided_by(std::vector<float>{1, 2, 0, 8, 1}), Contains("scale 2 is 0"));
  CHECK_THROWS_WITH(one.divided_by(std::vector<float>{1}), Contains("1 scales for 5 inputs"));
}

TEST_CASE("InputStatistics: one clear error for each thing that is missing", "[initializer]") {
  InputStatistics none(4), no_gram(4, GramMatrix::left_out);
  CHECK_THROWS_WITH(none.gram(), Contains("no token was seen yet"));
  CHECK_THROWS_WITH(none.mean_abs(), Contains("no token was seen yet"));
  Matrix x = random_matrix(3, 4, 1.0f, 6);
  no_gram.add(x.view());
  CHECK_THROWS_WITH(no_gram.gram(), Contains("left out"));
  CHECK(no_gram.mean_abs().size() == 4);
  CHECK_THROWS_WITH(none.add(Matrix(3, 5).view()), Contains("statistics are of 4 inputs"));
  for (const float broken : {std::numeric_limits<float>::quiet_NaN(),
                             std::numeric_limits<float>::infinity()}) {
    Matrix bad = x;
    bad(2, 1) = broken;
    CHECK_THROWS_WITH(no_gram.add(bad.view()), Contains("input 1 of token 5 is"));
    CHECK(no_gram.tokens() == 3);
    CHECK(std::isfinite(no_gram.mean_abs()[1]));
  }
}

}  // namespace
}  // namespace lrqat::test
