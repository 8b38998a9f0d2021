// SPDX-License-Identifier: MIT
// tests/initializer/channel_split_merge.test.cpp: outlier channels split, similar ones merged.
#include <lrqat/initializer/channel_split_merge.hpp>

#include <catch2/catch.hpp>
#include <support/matrix.hpp>

#include <cmath>
#include <limits>

namespace lrqat::test::split_merge {
namespace {

using Catch::Matchers::Contains;
using View = MatrixView<const float>;

constexpr std::size_t in = 10, out = 7, tokens = 40;

/// Two channels are outliers, 6 and 7 are nearly the same.
Matrix activations() {
  Matrix x = random_matrix(tokens, in, 1.0f, 1);
  for (std::size_t t = 0; t < tokens; ++t) {
    x(t, 2) *= 20.0f;
    x(t, 5) *= 9.0f;
    x(t, 7) = x(t, 6) + 0.01f * x(t, 0);
  }
  return x;
}
InputStatistics statistics_of(const Matrix& x) {
  InputStatistics statistics(x.cols);
  statistics.add(x.view());
  return statistics;
}
Matrix made_from(const ChannelSplitMerge& channels, const Matrix& x) {
  Matrix made(x.rows, channels.channels());
  for (std::size_t t = 0; t < x.rows; ++t) channels.forward(x.view().row(t), made.view().row(t));
  return made;
}
Matrix weight_for(const ChannelSplitMerge& channels, const Matrix& w) {
  Matrix made(w.rows, channels.channels());
  for (std::size_t i = 0; i < w.rows; ++i) channels.weight_row(w.view().row(i), made.view().row(i));
  return made;
}
/// (x.rows, w.rows) in double.
std::vector<double> product(const Matrix& x, const Matrix& w) {
  std::vector<double> y;
  for (std::size_t t = 0; t < x.rows; ++t)
    for (std::size_t i = 0; i < w.rows; ++i) {
      double sum = 0;
      for (std::size_t j = 0; j < x.cols; ++j)
        sum += static_cast<double>(x(t, j)) * static_cast<double>(w(i, j));
      y.push_back(sum);
    }
  return y;
}

TEST_CASE("Split channels: the product stays, no value is beyond the bound", "[initializer]") {
  const Matrix x = activations(), w = random_matrix(out, in, 1.0f, 2);
  const auto statistics = statistics_of(x);
  for (const float bound : {0.5f, 3.0f, 7.7f, 1000.0f}) {
    const auto parts = parts_within(statistics.max_abs(), bound);
    const ChannelSplitMerge split = split_channels(parts);
    const Matrix made = made_from(split, x);
    for (const float value : made.values) CHECK(std::fabs(value) <= bound);
    const auto before = product(x, w), after = product(made, weight_for(split, w));
    for (std::size_t i = 0; i < before.size(); ++i)  // values of up to 60, each part rounded once
      CHECK(after[i] == Approx(before[i]).margin(60 * 10 * 0x1p-24 * 4));
    CHECK((split.channels() == in) == (bound == 1000.0f));
  }
  CHECK(parts_within(std::vector<float>{0.0f, 3.0f, 3.0001f, 6.0f}, 3.0f) ==
        std::vector<std::size_t>{1, 1, 2, 2});
}

TEST_CASE("Split and merged channels: the width stays, the most similar ones are merged",
          "[initializer]") {
  const Matrix x = activations(), w = random_matrix(out, in, 1.0f, 2);
  const auto statistics = statistics_of(x);
  const View weights[] = {w.view()};
  std::vector<std::size_t> parts(in, 1);
  parts[5] = 2;  // the second part of 5 moves 6 and 7 to positions 7 and 8
  const ChannelSplitMerge made = split_and_merge_channels(statistics, weights, parts);
  REQUIRE(made.channels() == in);
  CHECK(made.in_features() == in);
  std::vector<int> seen(in);
  for (std::size_t k = 0; k < in; ++k) {
    for (const std::uint32_t j : made[k].from) ++seen[j];
    if (made[k].from.size() == 1) continue;
    CHECK(made[k].from == std::vector<std::uint32_t>{6, 7});
    CHECK(made[k].divisor == 2.0f);
  }
  CHECK(seen == std::vector<int>{1, 1, 1, 1, 1, 2, 1, 1, 1, 1});
  // Merging alike channels costs no more than what sets them apart.
  const auto before = product(x, w), after = product(made_from(made, x), weight_for(made, w));
  double error = 0, size = 0;
  for (std::size_t i = 0; i < before.size(); ++i) {
    error += (after[i] - before[i]) * (after[i] - before[i]);
    size += before[i] * before[i];
  }
  CHECK(error > 0);
  CHECK(error < 1e-4 * size);
}

TEST_CASE("Split and merged channels: the cost is that of the paper's code", "[initializer]") {
  // All matches of whole channels, by hand: x is 1 token, distances are differences.
  const Matrix x(1, 4, {1.0f, 4.0f, 2.0f, 8.0f}), w(2, 4, {1, 0, 1, 2, 1, 1, -2, 0});
  const View weights[] = {w.view()};
  // Sums of columns: 2, 1, -1, 2. Whole positions with 3 in 2 parts: 0, 2 against 1.
  //   cost(0, 1) = (3 * 3)^2, cost(2, 1) = (0 * 2)^2
  const ChannelSplitMerge made =
      split_and_merge_channels(statistics_of(x), weights, std::vector<std::size_t>{1, 1, 1, 2});
  REQUIRE(made.channels() == 4);
  CHECK(made[0].from == std::vector<std::uint32_t>{0});
  CHECK(made[1].from == std::vector<std::uint32_t>{1, 2});
  CHECK(made[2].from == std::vector<std::uint32_t>{3});
  CHECK(made[3].divisor == 2.0f);
}

TEST_CASE("Split channels: backward is the adjoint of forward", "[initializer]") {
  const Matrix x = activations(), w = random_matrix(out, in, 1.0f, 2);
  const View weights[] = {w.view()};
  const auto statistics = statistics_of(x);
  const ChannelSplitMerge made = split_and_merge_channels(
      statistics, weights, std::vector<std::size_t>{1, 1, 3, 1, 1, 1, 1, 1, 1, 1});
  const Matrix g = random_matrix(tokens, made.channels(), 1.0f, 3), forward = made_from(made, x);
  for (std::size_t t = 0; t < tokens; ++t) {
    std::vector<float> back(in, 77.0f);
    made.backward(g.view().row(t), back);
    double one = 0, other = 0, size = 0;
    for (std::size_t k = 0; k < made.channels(); ++k) {
      one += static_cast<double>(g(t, k)) * static_cast<double>(forward(t, k));
      for (const std::uint32_t j : made[k].from)
        size += std::fabs(static_cast<double>(g(t, k)) * static_cast<double>(x(t, j))) /
                static_cast<double>(made[k].divisor);
    }
    for (std::size_t j = 0; j < in; ++j)
      other += static_cast<double>(back[j]) * static_cast<double>(x(t, j));
    // Forward rounds a sum of up to three inputs twice and its quotient once, backward the quotient
    // and the sum of up to three parts twice.
    CHECK(std::fabs(one - other) <= 6 * 0x1p-24 * size);
  }
}

TEST_CASE("split_bound_search: within its budget of channels, the first of equals",
          "[initializer]") {
  const std::vector<float> largest{1.0f, 1.0f, 10.0f, 1.0f, 1.0f, 1.0f, 1.0f, 1.0f, 1.0f, 1.0f};
  std::vector<std::size_t> extras;
  const auto by_bound = [&](std::span<const std::size_t> parts, float bound) {
    extras.push_back(parts[2] - 1);
    return std::fabs(static_cast<double>(bound) - 6.0);
  };
  const SplitBound best = split_bound_search(largest, by_bound);
  CHECK(best.bound == Approx(6.0f));
  CHECK(best.parts[2] == 2);
  CHECK(extras.front() == 0);
  CHECK(extras.back() == 1);  // a second extra channel would be more than a tenth
  CHECK(split_bound_search(largest, [](auto, float) { return 1.0; }).bound == 10.0f);
  CHECK(split_bound_search(std::vector<float>(3), by_bound).parts ==
        std::vector<std::size_t>(3, 1));
}

TEST_CASE("Split and merged channels: what does not fit is refused", "[initializer]") {
  const Matrix x = activations(), w = random_matrix(out, in, 1.0f, 2);
  const View weights[] = {w.view()};
  const std::vector<float> some(3, 1.0f);
  CHECK_THROWS_WITH(parts_within(some, 0.0f), Contains("bound is 0"));
  CHECK_THROWS_WITH(parts_within(some, 1e-9f), Contains("channel 0 of up to 1"));
  CHECK_THROWS_WITH(
      split_and_merge_channels(statistics_of(x), weights, std::vector<std::size_t>(4, 1)),
      Contains("parts of 4 channels"));
  CHECK_THROWS_WITH(
      split_and_merge_channels(statistics_of(x), weights, std::vector<std::size_t>(in, 2)),
      Contains("10 extra channels") && Contains("larger bound"));
  std::vector<std::size_t> dropped(in, 1);
  dropped[4] = 0;
  CHECK_THROWS_WITH(split_channels(dropped), Contains("channel 4 has no parts"));
  CHECK_THROWS_WITH(split_and_merge_channels(statistics_of(x), weights, dropped),
                    Contains("channel 4 has no parts"));
  CHECK_THROWS_WITH(ChannelSplitMerge(2, {{{2}, 1.0f}}), Contains("input 2 of 2"));
  CHECK_THROWS_WITH(ChannelSplitMerge(2, {{{}, 1.0f}}), Contains("from 0 inputs"));
  CHECK_THROWS_WITH(split_bound_search(
                        some, [](auto, float) { return std::numeric_limits<double>::quiet_NaN(); }),
                    Contains("not a number"));
}

}  // namespace
}  // namespace lrqat::test::split_merge
