// SPDX-License-Identifier: MIT
// tests/granularity/per_group.test.cpp: which weights share a scale, for every granularity.
#include <lrqat/granularity/per_group.hpp>

#include <lrqat/core/expects.hpp>
#include <lrqat/granularity/per_channel.hpp>
#include <lrqat/granularity/per_tensor.hpp>

#include <catch2/catch.hpp>
#include <vector>

namespace lrqat {
namespace {

using Catch::Matchers::Contains;

TEST_CASE("PerTensor: one scale for all", "[granularity]") {
  const ScaleLayout layout = PerTensor::layout({3, 5}, {});
  CHECK(layout.size() == 1);
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 5; ++j) CHECK(layout.index(i, j) == 0);
}

TEST_CASE("PerChannel: one scale a row", "[granularity]") {
  const ScaleLayout layout = PerChannel::layout({3, 5}, {});
  CHECK(layout.size() == 3);
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 5; ++j) CHECK(layout.index(i, j) == i);
}

TEST_CASE("PerGroup: row-major groups, the last of a row may be shorter", "[granularity]") {
  const ScaleLayout layout = PerGroup<4>::layout({3, 10}, {});
  CHECK(layout.scales == Shape{3, 3});
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 10; ++j) CHECK(layout.index(i, j) == i * 3 + j / 4);
  CHECK(PerGroup<1>::layout({2, 3}, {}).size() == 6);
  CHECK(PerGroup<10>::layout({3, 10}, {}).size() == 3);  // as PerChannel
}

TEST_CASE("PerGroup: a group longer than in is an error that names both", "[granularity]") {
  CHECK_THROWS_WITH(PerGroup<128>::layout({8, 64}, {}), Contains("128") && Contains("64"));
  QuantOptions options;
  options.group_size = 11;
  CHECK_THROWS_WITH(PerGroup<dynamic>::layout({8, 10}, options), Contains("11") && Contains("10"));
}

TEST_CASE("PerGroup<dynamic>: the size comes from the options", "[granularity]") {
  QuantOptions options;
  CHECK_THROWS_WITH(PerGroup<dynamic>::layout({8, 10}, options), Contains("group_size"));
  options.group_size = 4;
  const ScaleLayout layout = PerGroup<dynamic>::layout({3, 10}, options);
  CHECK(layout.scales == PerGroup<4>::layout({3, 10}, {}).scales);
  CHECK(layout.group_columns == 4);
}

TEST_CASE("ScaleLayout: segments cover a tile once, in order, each with one scale",
          "[granularity]") {
  const std::vector<ScaleLayout> layouts{
      PerTensor::layout({4, 10}, {}), PerChannel::layout({4, 10}, {}),
      PerGroup<1>::layout({4, 10}, {}), PerGroup<3>::layout({4, 10}, {}),
      PerGroup<10>::layout({4, 10}, {})};
  for (const ScaleLayout& layout : layouts)
    for (const Tile tile : {Tile{0, 0, 4, 10}, Tile{1, 2, 2, 5}, Tile{3, 9, 1, 1}, Tile{0, 3, 4, 3},
                            Tile{2, 5, 0, 3}, Tile{2, 5, 2, 0}}) {
      std::size_t covered = 0;
      layout.for_each_segment(tile, [&](auto row, auto col, auto count, auto cell) {
        CHECK(count > 0);
        for (std::size_t j = col; j < col + count; ++j) {
          CHECK(row == tile.row + covered / tile.cols);
          CHECK(j == tile.col + covered % tile.cols);
          CHECK(layout.index(row, j) == cell);
          ++covered;
        }
      });
      CHECK(covered == tile.rows * tile.cols);
    }
}

}  // namespace
}  // namespace lrqat
