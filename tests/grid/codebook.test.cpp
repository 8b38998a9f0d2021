// SPDX-License-Identifier: MIT
// tests/grid/codebook.test.cpp: tables of levels, and what their published numbers are made from.
#include <lrqat/grid/codebook.hpp>

#include <lrqat/core/rng.hpp>
#include <lrqat/estimator/straight_through.hpp>
#include <lrqat/grid/int.hpp>
#include <lrqat/grid/unquantized.hpp>
#include <lrqat/initializer/min_max.hpp>
#include <lrqat/kernel/vectorised.hpp>
#include <lrqat/storage/packed.hpp>

#include <catch2/catch.hpp>
#include <support/matrix.hpp>

#include <cmath>
#include <limits>
#include <vector>

namespace lrqat::test {
namespace {

using G = Codebook<Nf4>;
static_assert(G::bits == 4 && G::code_max == 15 && Codebook<Nf2>::bits == 2);
static_assert(!IntegerGrid<G> && StorageOf<Packed, G> && InitializerOf<MinMax, G>);
constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan = std::numeric_limits<float>::quiet_NaN();

/// The x of which N(0, 1) is below with probability p, by bisection.
double normal_quantile(double p) {
  double low = -10, high = 10;
  for (int i = 0; i < 200; ++i) {
    const double middle = (low + high) / 2;
    (std::erfc(-middle / std::sqrt(2.0)) / 2 < p ? low : high) = middle;
  }
  return low;
}

/// The construction of QLoRA and LoftQ.
std::vector<double> normal_float(int bits) {
  const int half = 1 << (bits - 1);
  std::vector<double> levels{0.0};
  for (const int count : {half + 1, half})  // of equally spaced probabilities, the last left out
    for (int k = 0; k + 1 < count; ++k) {
      const double p = 0.9677083 + (0.5 - 0.9677083) * k / (count - 1);
      levels.push_back(count == half ? -normal_quantile(p) : normal_quantile(p));
    }
  std::sort(levels.begin(), levels.end());
  for (double& level : levels) level /= normal_quantile(0.9677083);
  return levels;
}

TEST_CASE("Codebook: NF4 and NF2 are what their construction gives", "[grid]") {
  const auto nf4 = normal_float(4), nf2 = normal_float(2);
  REQUIRE(nf4.size() == 16);
  REQUIRE(nf2.size() == 4);
  for (std::size_t k = 0; k < 16; ++k) CHECK(std::fabs(nf4[k] - double{Nf4::levels[k]}) < 2e-7);
  for (std::size_t k = 0; k < 4; ++k) CHECK(std::fabs(nf2[k] - double{Nf2::levels[k]}) < 2e-7);
}

TEST_CASE("Codebook: 16 ascending levels with -1, 0 and 1, each the code of itself", "[grid]") {
  CHECK(G::level(0, 0.0f) == -1.0f);
  CHECK(G::level(7, 0.0f) == 0.0f);
  CHECK(G::level(15, 0.0f) == 1.0f);
  for (int code = 0; code < 16; ++code) {
    const float level = G::level(code, 0.0f);
    if (code > 0) CHECK(level > G::level(code - 1, 0.0f));
    CHECK(G::code(level, 0.0f) == code);
    CHECK(G::round(level) == level);
    CHECK(G::clip(level, 0.0f) == level);
  }
}

TEST_CASE("Codebook: nearest level; halfway takes the lower one", "[grid]") {
  const CounterRng random(1, 0);
  for (std::uint64_t i = 0; i < 20000; ++i) {
    const float u = 2.0f * random.uniform(i) - 1.0f;
    const float rounded = G::round(u);
    double nearest = 9;
    for (const float level : Nf4::levels)
      nearest = std::min(nearest, std::fabs(double{level} - double{u}));
    REQUIRE(std::fabs(double{rounded} - double{u}) <= nearest + 1e-7);
    REQUIRE(G::level(G::code(rounded, 0.0f), 0.0f) == rounded);
  }
  for (std::size_t k = 0; k < 15; ++k) {
    const auto middle =
        static_cast<float>((double{Nf4::levels[k]} + double{Nf4::levels[k + 1]}) / 2);
    CHECK(G::round(middle) == Nf4::levels[k]);
    CHECK(G::round(std::nextafter(middle, 2.0f)) == Nf4::levels[k + 1]);
  }
  // Two of the thresholds that bitsandbytes has in its source.
  CHECK(G::round(0.03979014977812767f) == 0.0f);
  CHECK(G::round(-0.8480964004993439f) == -1.0f);
}

TEST_CASE("Codebook: beyond the ends a gradient for half a step, clipped farther out", "[grid]") {
  const auto pass = [](float u) {
    const float rounded = G::round(u);
    return StraightThrough::pass(u, rounded, G::clip(rounded, 0.0f), -1.0f, 1.0f);
  };
  CHECK(pass(1.13f) == 1.0f);
  CHECK(pass(1.14f) == 0.0f);
  CHECK(pass(-1.15f) == 1.0f);
  CHECK(pass(-1.16f) == 0.0f);
  for (const float u : {1.13f, 1.14f, 5.0f, infinity}) {
    CHECK(G::clip(G::round(u), 0.0f) == 1.0f);
    CHECK(G::clip(G::round(-u), 0.0f) == -1.0f);
  }
  CHECK(std::isnan(G::clip(G::round(nan), 0.0f)));
  CHECK(G::round(std::nextafter(-0.0f, -1.0f)) == 0.0f);
}

TEST_CASE("Codebook: vector loops give the bits of one number at a time", "[grid]") {
  for (const std::size_t count : {1u, 15u, 16u, 17u, 67u}) {
    std::vector<float> u(count), rounded(count);
    for (std::size_t j = 0; j < count; ++j)
      u[j] = j % 16 == 5 ? nan : 3.0f * CounterRng(2, 0).uniform(j) - 1.5f;
    kernel::vectorised([&] {
      kernel::for_each_lane(count, [from = u.data(), to = rounded.data()](std::size_t j) {
        to[j] = G::clip(G::round(from[j]), 0.0f);
      });
    });
    for (std::size_t j = 0; j < count; ++j) {
      const float alone = G::clip(G::round(u[j]), 0.0f);
      CHECK((std::isnan(alone) ? std::isnan(rounded[j]) : rounded[j] == alone));
    }
  }
}

TEST_CASE("Codebook: packed codes come back, at every width and place", "[grid][storage]") {
  using Storage = Packed::bound_to<G>;
  for (const std::size_t count : {1u, 7u, 16u, 31u, 64u, 65u}) {
    std::vector<float> values(count), decoded(count);
    for (std::size_t j = 0; j < count; ++j) values[j] = 2.4f * CounterRng(3, 0).uniform(j) - 1.2f;
    std::vector<std::byte> row(Storage::bytes_per_row(count));
    Storage::encode(values, 0.0f, row.data(), 0);
    Storage::decode(row.data(), 0, 0.0f, decoded);
    for (std::size_t j = 0; j < count; ++j) CHECK(decoded[j] == G::clip(G::round(values[j]), 0.0f));
  }
}

/// Mean squared error of N(0, 1) in blocks of 64, scales by MinMax.
template <Grid Own>
double error_of_normal_blocks() {
  const CounterRng random(4, 0);
  double sum = 0;
  constexpr std::size_t blocks = 20000;
  std::vector<float> block(64);
  for (std::size_t i = 0; i < blocks; ++i) {
    for (std::size_t j = 0; j < 64; ++j) block[j] = random.normal(64 * i + j);
    const float scale = MinMax::choose<Own>(block).scale;
    bool extreme_is_exact = false;
    for (const float w : block) {
      const float w_hat = scale * Own::clip(Own::round(w / scale), 0.0f);
      extreme_is_exact |= w_hat == w && std::fabs(w) == scale * Own::level(Own::code_max, 0.0f);
      sum += std::pow(double{w} - double{w_hat}, 2);
    }
    if constexpr (CodebookGrid<Own>) REQUIRE(extreme_is_exact);
  }
  return sum / (64.0 * blocks);
}

TEST_CASE("Codebook: NF4 on normal blocks of 64 is below symmetric integers", "[grid]") {
  // 1.28 million numbers: a standard error of about 0.1 %.
  CHECK(error_of_normal_blocks<G>() == Approx(0.00844).epsilon(0.006));
  CHECK(error_of_normal_blocks<Int<4>>() == Approx(0.01153).epsilon(0.006));
}

TEST_CASE("Unquantized: nothing changes, and the ends are infinitely far", "[grid]") {
  for (const float u : {0.0f, -3.7f, 1e30f, infinity})
    CHECK(Unquantized::clip(Unquantized::round(u), 0.0f) == u);
  CHECK(std::isnan(Unquantized::clip(Unquantized::round(nan), 0.0f)));
  CHECK(Unquantized::level(Unquantized::code_min, 0.0f) == -infinity);
  CHECK(Unquantized::level(Unquantized::code_max, 0.0f) == infinity);
}

}  // namespace
}  // namespace lrqat::test
