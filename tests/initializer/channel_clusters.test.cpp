// SPDX-License-Identifier: MIT
// tests/initializer/channel_clusters.test.cpp: RPTQ's clusters of channels.
#include <lrqat/initializer/channel_clusters.hpp>

#include <lrqat/grid/uint.hpp>

#include <catch2/catch.hpp>
#include <support/matrix.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

namespace lrqat::test {
namespace {

using Catch::Matchers::Contains;

struct Ranges {
  std::vector<float> low, high;
};

Ranges random_ranges(std::size_t channels) {
  Ranges ranges;
  const CounterRng random(41, channels);
  for (std::size_t j = 0; j < channels; ++j) {
    ranges.low.push_back(-std::exp(random.normal(2 * j)));
    ranges.high.push_back(std::exp(random.normal(2 * j + 1)));
  }
  return ranges;
}

bool is_partition(const ChannelClusters& found, std::size_t channels, std::size_t clusters) {
  std::vector<std::uint32_t> sorted = found.order;
  std::sort(sorted.begin(), sorted.end());
  for (std::size_t j = 0; j < sorted.size(); ++j)
    if (sorted[j] != j) return false;
  for (std::size_t c = 0; c < found.clusters(); ++c)
    if (found.first[c] >= found.first[c + 1]) return false;
  return sorted.size() == channels && found.clusters() == clusters && found.first[0] == 0 &&
         found.first[clusters] == channels;
}

TEST_CASE("cluster_channels: as many as asked for, none empty, all channels once",
          "[initializer]") {
  for (const std::size_t channels : {1u, 2u, 17u, 100u}) {
    const Ranges ranges = random_ranges(channels);
    for (const std::size_t clusters : {1u, 2u, 5u, 17u, 100u})
      if (clusters <= channels) {
        INFO(channels << " channels, " << clusters << " clusters");
        const auto found = cluster_channels(ranges.low, ranges.high, clusters);
        CHECK(is_partition(found, channels, clusters));
        CHECK(found.order == cluster_channels(ranges.low, ranges.high, clusters).order);
      }
  }
  const std::vector<float> alike(9, 1.0f);  // no two can be told apart
  for (const std::size_t clusters : {1u, 4u, 9u})
    CHECK(is_partition(cluster_channels(alike, alike, clusters), 9, clusters));
}

TEST_CASE("cluster_channels: channels of one kind come together", "[initializer]") {
  Ranges ranges;
  for (std::size_t j = 0; j < 30; ++j) {  // three kinds, mixed
    const float kind = static_cast<float>(j % 3), little = 0.01f * static_cast<float>(j);
    ranges.high.push_back(1 + 10 * kind + little);
    ranges.low.push_back(-1 - 3 * kind - little);
  }
  const auto found = cluster_channels(ranges.low, ranges.high, 3);
  CHECK(found.first == std::vector<std::size_t>{0, 10, 20, 30});
  for (std::size_t k = 0; k < 30; ++k) CHECK(found.order[k] == k % 10 * 3 + k / 10);
}

TEST_CASE("cluster_qparams: one cluster is the tensor, a cluster each the channel",
          "[initializer]") {
  const Ranges ranges = random_ranges(23);
  const auto whole = cluster_qparams<UInt<4>>(cluster_channels(ranges.low, ranges.high, 1),
                                              ranges.low, ranges.high);
  const Range all{*std::min_element(ranges.low.begin(), ranges.low.end()),
                  *std::max_element(ranges.high.begin(), ranges.high.end())};
  REQUIRE(whole.size() == 1);
  CHECK(whole[0].scale == qparams_of_range<UInt<4>>(all, 1.0f).scale);
  CHECK(whole[0].zero_point == qparams_of_range<UInt<4>>(all, 1.0f).zero_point);
  const auto found = cluster_channels(ranges.low, ranges.high, 23);
  const auto each = cluster_qparams<UInt<4>>(found, ranges.low, ranges.high);
  for (std::size_t k = 0; k < 23; ++k) {
    const Range own{ranges.low[found.order[k]], ranges.high[found.order[k]]};
    CHECK(each[k].scale == qparams_of_range<UInt<4>>(own, 1.0f).scale);
    CHECK(each[k].zero_point == qparams_of_range<UInt<4>>(own, 1.0f).zero_point);
  }
}

TEST_CASE("cluster_qparams: splitting a cluster never widens a channel's step", "[initializer]") {
  const Ranges ranges = random_ranges(40);
  const auto coarse = cluster_channels(ranges.low, ranges.high, 4);
  const auto before = cluster_qparams<UInt<8>>(coarse, ranges.low, ranges.high);
  for (std::size_t c = 0; c < 4; ++c)
    for (std::size_t cut = coarse.first[c] + 1; cut < coarse.first[c + 1]; ++cut) {
      ChannelClusters split = coarse;
      split.first.insert(split.first.begin() + static_cast<std::ptrdiff_t>(c) + 1, cut);
      const auto after = cluster_qparams<UInt<8>>(split, ranges.low, ranges.high);
      CHECK(after[c].scale <= before[c].scale);
      CHECK(after[c + 1].scale <= before[c].scale);
    }
}

TEST_CASE("permute_columns: inputs and weight in one order give the same outputs",
          "[initializer]") {
  const Matrix x = random_matrix(6, 31, 1.0f, 42), weight = random_matrix(5, 31, 0.1f, 43);
  const Ranges ranges = random_ranges(31);
  const auto found = cluster_channels(ranges.low, ranges.high, 4);
  Matrix other_x(6, 31), other_weight(5, 31);
  permute_columns(x.view(), found.order, other_x.view());
  permute_columns(weight.view(), found.order, other_weight.view());
  for (std::size_t t = 0; t < 6; ++t)
    for (std::size_t i = 0; i < 5; ++i) {
      double before = 0, after = 0, size = 0;
      for (std::size_t j = 0; j < 31; ++j) {
        before += static_cast<double>(x(t, j)) * static_cast<double>(weight(i, j));
        after += static_cast<double>(other_x(t, j)) * static_cast<double>(other_weight(i, j));
        size += std::fabs(static_cast<double>(x(t, j)) * static_cast<double>(weight(i, j)));
      }
      CHECK(std::fabs(before - after) <= 2 * 31 * 0x1p-53 * size);  // two orders of 31 terms
    }
}

TEST_CASE("cluster_channels: one clear error for each thing that does not fit", "[initializer]") {
  const std::vector<float> two{1, 2}, one{1};
  CHECK_THROWS_WITH(cluster_channels(two, two, 3), Contains("3 clusters of 2 channels"));
  CHECK_THROWS_WITH(cluster_channels(two, two, 0), Contains("0 clusters"));
  CHECK_THROWS_WITH(cluster_channels(two, one, 1), Contains("2 minima and 1 maxima"));
  const std::vector<float> bad{1, std::numeric_limits<float>::infinity()};
  CHECK_THROWS_WITH(cluster_channels(two, bad, 1), Contains("channel 1 lies between 2 and inf"));
  Matrix out(1, 2);
  CHECK_THROWS_WITH(permute_columns(Matrix(1, 2).view(), std::vector<std::uint32_t>{1, 1},
                                    out.view()),
                    Contains("channel 1 is not there, or comes twice"));
}

}  // namespace
}  // namespace lrqat::test
