// SPDX-License-Identifier: MIT
// tests/core/rng.test.cpp: Philox against its published answers, and the moments of what is drawn.
#include <lrqat/core/rng.hpp>

#include <catch2/catch.hpp>

#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

namespace {

using lrqat::CounterRng;

static_assert(CounterRng(0, 0).bits(0) == 0x6627E8D5u);

}  // namespace

// Counters, keys and answers that the authors publish with Random123 (philox4x32, 10 rounds).
TEST_CASE("CounterRng: the published answers of Philox4x32-10", "[core]") {
  using Block = std::array<std::uint32_t, 4>;
  CHECK(CounterRng(0, 0).block(0) == Block{0x6627E8D5u, 0xE169C58Du, 0xBC57AC4Cu, 0x9B00DBD8u});
  constexpr std::uint64_t ones = ~std::uint64_t{0};
  CHECK(CounterRng(ones, ones).block(ones) ==
        Block{0x408F276Du, 0x41C83B0Eu, 0xA20BC7C6u, 0x6D5451FDu});
  CHECK(CounterRng(0x299F31D0A4093822u, 0x0370734413198A2Eu).block(0x85A308D3243F6A88u) ==
        Block{0xD16CFE09u, 0x94FDCCEBu, 0x5001E420u, 0x24126EA1u});
}

TEST_CASE("CounterRng: bits are the words of the blocks in order", "[core]") {
  const CounterRng random(3, 4);
  for (std::uint64_t i = 0; i < 40; ++i) REQUIRE(random.bits(i) == random.block(i / 4)[i % 4]);
}

TEST_CASE("CounterRng: seed, stream and index all matter", "[core]") {
  const CounterRng random(1, 2);
  CHECK(random.bits(5) == CounterRng(1, 2).bits(5));
  int equal = 0;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    equal += random.bits(i) == CounterRng(2, 2).bits(i);
    equal += random.bits(i) == CounterRng(1, 3).bits(i);
    equal += random.bits(i) == random.bits(i + 1);
    equal += random.bits(i) == CounterRng(1, std::uint64_t{2} << 32).bits(i);
    equal += random.bits(i) == CounterRng(std::uint64_t{1} << 32, 2).bits(i);
  }
  CHECK(equal <= 1);  // 5000 pairs, each equal with probability 2^-32
}

TEST_CASE("CounterRng: uniform numbers lie in [0, 1) and are even", "[core]") {
  const CounterRng random(42, 0);
  constexpr std::uint64_t count = 100000;
  std::vector<int> bins(10);
  double sum = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const float u = random.uniform(i);
    REQUIRE((u >= 0.0f && u < 1.0f));
    sum += u;
    ++bins[static_cast<std::size_t>(u * 10.0f)];
  }
  // Five standard deviations: sqrt(1/12/n) of the mean, sqrt(n p (1-p)) of a bin.
  CHECK(std::fabs(sum / count - 0.5) < 5 * std::sqrt(1.0 / 12 / count));
  for (const int bin : bins) CHECK(std::abs(bin - 10000) < 5 * std::sqrt(count * 0.1 * 0.9));
}

TEST_CASE("CounterRng: below gives every value under the bound", "[core]") {
  const CounterRng random(7, 9);
  std::vector<int> counts(7);
  for (std::uint64_t i = 0; i < 70000; ++i) {
    const std::uint32_t value = random.below(7, i);
    REQUIRE(value < 7);
    ++counts[value];
  }
  for (const int count : counts) CHECK(std::abs(count - 10000) < 5 * std::sqrt(70000.0 * 6 / 49));
  for (std::uint64_t i = 0; i < 100; ++i) CHECK(random.below(1, i) == 0);
  for (std::uint64_t i = 0; i < 100; ++i) CHECK(random.below(0xFFFFFFFFu, i) < 0xFFFFFFFFu);
}

TEST_CASE("CounterRng: normal numbers have the moments of the normal distribution", "[core]") {
  const CounterRng random(5, 1);
  constexpr double count = 200000;
  double sum = 0, squares = 0, fourth = 0, neighbours = 0;
  for (std::uint64_t i = 0; i < std::uint64_t(count); ++i) {
    const double x = random.normal(i);
    REQUIRE(std::isfinite(x));
    sum += x;
    squares += x * x;
    fourth += x * x * x * x;
    neighbours += x * random.normal(i + 1);
  }
  // Variances of x, x^2, x^4 and of a product of two: 1, 2, 96, 1; five standard deviations each.
  CHECK(std::fabs(sum / count) < 5 * std::sqrt(1 / count));
  CHECK(std::fabs(squares / count - 1) < 5 * std::sqrt(2 / count));
  CHECK(std::fabs(fourth / count - 3) < 5 * std::sqrt(96 / count));
  CHECK(std::fabs(neighbours / count) < 5 * std::sqrt(1 / count));
}
