// SPDX-License-Identifier: MIT
// tests/train/token_batches.test.cpp
#include <lrqat/train/token_batches.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <set>
#include <vector>

using lrqat::TokenBatches;

namespace {

std::vector<std::uint16_t> counting_stream(std::size_t size) {
  std::vector<std::uint16_t> stream(size);
  std::iota(stream.begin(), stream.end(), std::uint16_t{0});
  return stream;
}

using Stream = std::span<const std::uint16_t>;

}  // namespace

TEST_CASE("TokenBatches: targets are the inputs one token later", "[train]") {
  const auto stream = counting_stream(41);
  TokenBatches<std::uint16_t> batches(Stream(stream), 8, 2, 1);
  CHECK(batches.windows() == 5);
  std::vector<std::uint16_t> inputs(16), targets(16);
  for (std::uint64_t number = 0; number < 7; ++number) {
    batches.fill(number, std::span(inputs), std::span(targets));
    for (std::size_t i = 0; i < 16; ++i) {
      CHECK(inputs[i] % 8 == i % 8);  // a window starts at a multiple of its length
      CHECK(targets[i] == inputs[i] + 1);
    }
  }
}

TEST_CASE("TokenBatches: every epoch has every window once, in an order of its own", "[train]") {
  const auto stream = counting_stream(1 + 10 * 4 + 3);  // 10 windows of 4 and a rest
  TokenBatches<std::uint16_t> batches(Stream(stream), 4, 3, 7);
  REQUIRE(batches.windows() == 10);
  std::vector<int> dealt;
  std::vector<std::int32_t> inputs(12), targets(12);
  for (std::uint64_t number = 0; number < 20; ++number) {  // 60 windows: 6 epochs
    batches.fill(number, std::span(inputs), std::span(targets));
    for (std::size_t b = 0; b < 3; ++b) dealt.push_back(inputs[b * 4] / 4);
  }
  std::set<std::vector<int>> orders;
  for (std::size_t epoch = 0; epoch < 6; ++epoch) {
    std::vector<int> order(dealt.begin() + static_cast<std::ptrdiff_t>(epoch * 10),
                           dealt.begin() + static_cast<std::ptrdiff_t>(epoch * 10 + 10));
    orders.insert(order);
    std::sort(order.begin(), order.end());
    for (int w = 0; w < 10; ++w) CHECK(order[static_cast<std::size_t>(w)] == w);
  }
  CHECK(orders.size() == 6);
}

TEST_CASE("TokenBatches: a batch depends on seed and number, not on what was asked before",
          "[train]") {
  const auto stream = counting_stream(1000);
  TokenBatches<std::uint16_t> forward(Stream(stream), 10, 4, 3), backward(Stream(stream), 10, 4, 3);
  TokenBatches<std::uint16_t> other(Stream(stream), 10, 4, 4);
  std::vector<std::vector<std::uint16_t>> seen(100, std::vector<std::uint16_t>(40));
  std::vector<std::uint16_t> inputs(40), targets(40);
  bool seeds_differ = false;
  for (std::uint64_t n = 0; n < 100; ++n) {
    forward.fill(n, std::span(seen[n]), std::span(targets));
    other.fill(n, std::span(inputs), std::span(targets));
    seeds_differ = seeds_differ || inputs != seen[n];
  }
  CHECK(seeds_differ);
  for (std::uint64_t n = 100; n-- > 0;) {
    backward.fill(n, std::span(inputs), std::span(targets));
    CHECK(inputs == seen[n]);
  }
}

TEST_CASE("TokenBatches: the order is uniform enough", "[train]") {
  // Each of 4 windows comes first in about a quarter of 4000 epochs: sd = sqrt(4000 * 3/16) = 27.4.
  const auto stream = counting_stream(5);
  TokenBatches<std::uint16_t> batches(Stream(stream), 1, 4, 99);
  std::vector<int> first(4);
  std::vector<std::uint16_t> inputs(4), targets(4);
  for (std::uint64_t epoch = 0; epoch < 4000; ++epoch) {
    batches.fill(epoch, std::span(inputs), std::span(targets));
    ++first[inputs[0]];
  }
  for (int count : first) CHECK(std::abs(count - 1000) < 5 * 28);
}

TEST_CASE("TokenBatches: a single window and a batch larger than an epoch work", "[train]") {
  const auto stream = counting_stream(9);
  TokenBatches<std::uint16_t> batches(Stream(stream), 8, 3, 0);
  std::vector<std::uint16_t> inputs(24), targets(24);
  batches.fill(5, std::span(inputs), std::span(targets));
  for (std::size_t i = 0; i < 24; ++i) CHECK(inputs[i] == i % 8);
}

TEST_CASE("TokenBatches: what cannot be dealt is an error with its numbers", "[train]") {
  const auto stream = counting_stream(8);
  const auto make = [&](std::size_t length, std::size_t batch) {
    return TokenBatches<std::uint16_t>(Stream(stream), length, batch, 0);
  };
  CHECK_THROWS_WITH(make(8, 1), Catch::Contains("needs 9 tokens, the stream has 8"));
  CHECK_NOTHROW(make(7, 1));
  CHECK_THROWS_AS(make(0, 1), lrqat::Error);
  CHECK_THROWS_AS(make(1, 0), lrqat::Error);
  auto batches = make(2, 2);
  std::vector<std::uint16_t> inputs(4), targets(3);
  CHECK_THROWS_WITH(batches.fill(0, std::span(inputs), std::span(targets)),
                    Catch::Contains("2 x 2 tokens") && Catch::Contains("3 targets"));
}
