// SPDX-License-Identifier: MIT
// tests/adapter/low_rank.test.cpp: alpha / r * A B, and its gradients.
#include <lrqat/adapter/low_rank.hpp>

#include <catch2/catch.hpp>
#include <support/machine.hpp>
#include <support/matrix.hpp>

#include <cmath>
#include <limits>

namespace lrqat::test {
namespace {

using Catch::Matchers::Contains;
using State = LowRank<dynamic>::state;

QuantOptions of_rank(std::size_t rank, float alpha = 1.0f) {
  QuantOptions options;
  options.rank = rank;
  options.alpha = alpha;
  return options;
}

void randomize(State& state) {
  for (Parameter<float>& each : state.parameters()) {
    const CounterRng random(11, each.name == "A" ? 0 : 1);
    for (std::size_t i = 0; i < each.value.size(); ++i) each.value[i] = random.normal(i);
  }
}

TEST_CASE("LowRank: A is zero, B uniform in +-1/sqrt(in), both by name", "[adapter]") {
  LowRank<3>::state state({5, 400}, {});
  const auto all = state.parameters();
  REQUIRE(all.size() == 2);
  CHECK(all[0].name == "A");
  CHECK(all[1].name == "B");
  CHECK(all[0].value.size() == 15);
  CHECK(all[1].value.size() == 1200);
  for (const Parameter<float>& each : all) {
    CHECK(each.role == Role::adapter);
    CHECK(each.gradient.size() == each.value.size());
  }
  for (const float value : all[0].value) CHECK(value == 0.0f);
  double sum = 0, squares = 0;
  for (const float value : all[1].value) {
    CHECK(std::fabs(value) <= 0.05f);
    sum += static_cast<double>(value);
    squares += static_cast<double>(value) * static_cast<double>(value);
  }
  // 1200 uniform numbers of variance bound^2 / 3; five standard errors of mean and variance.
  CHECK(std::fabs(sum / 1200) < 5 * 0.05 / std::sqrt(3.0 * 1200));
  CHECK(std::fabs(squares / 1200 - 0.05 * 0.05 / 3) < 5 * 0.05 * 0.05 * 0.3 / std::sqrt(1200.0));
}

TEST_CASE("LowRank: seed and stream decide B", "[adapter]") {
  const auto b_of = [](std::uint64_t seed, std::uint64_t stream) {
    QuantOptions options;
    options.seed = seed;
    options.stream = stream;
    LowRank<2>::state state({3, 8}, options);
    return copy_of(named(state.parameters(), "B").value);
  };
  CHECK(b_of(1, 2) == b_of(1, 2));
  CHECK(b_of(1, 2) != b_of(1, 3));
  CHECK(b_of(1, 2) != b_of(2, 2));
}

TEST_CASE("LowRank: the gain is alpha / rank", "[adapter]") {
  CHECK(State({2, 2}, of_rank(32)).gain() == 1.0f / 32.0f);
  CHECK(State({2, 2}, of_rank(8, 16.0f)).gain() == 2.0f);
  QuantOptions options;
  options.rank = 5;  // not asked for by a compile-time rank
  CHECK(LowRank<4>::state({2, 2}, options).rank() == 4);
}

TEST_CASE("LowRank: rank 0 and an alpha that is no number are errors", "[adapter]") {
  CHECK_THROWS_WITH(State({2, 2}, of_rank(0)), Contains("rank"));
  CHECK_THROWS_WITH(State({2, 2}, of_rank(1, std::nanf(""))), Contains("alpha"));
  CHECK_THROWS_AS(State({2, 2}, of_rank(1, std::numeric_limits<float>::infinity())), Error);
}

TEST_CASE("LowRank: add is z + alpha/r A B, in tiles of any cut, on every instruction set",
          "[adapter]") {
  const MachineSettings restored;
  for (const std::size_t rank :
       {std::size_t{1}, std::size_t{3}, std::size_t{16}, std::size_t{33}}) {
    constexpr std::size_t out = 37, in = 53;
    State state({out, in}, of_rank(rank, 1.7f));
    randomize(state);
    const auto a = named(state.parameters(), "A").value, b = named(state.parameters(), "B").value;
    const Matrix base = random_matrix(out, in, 1.0f, 3);
    Matrix whole = base;
    kernel::set_active_isa(kernel::Isa::scalar);
    state.add({0, 0, out, in}, whole.view());
    for (std::size_t i = 0; i < out; ++i)
      for (std::size_t j = 0; j < in; ++j) {
        double product = 0, magnitude = 0;
        for (std::size_t k = 0; k < rank; ++k) {
          const double term =
              static_cast<double>(a[i * rank + k]) * static_cast<double>(b[k * in + j]);
          product += term;
          magnitude += std::fabs(term);
        }
        const double gain = static_cast<double>(state.gain());
        // rank roundings of the chain, one of the gain, one of the sum.
        const double bound = (static_cast<double>(rank) + 2) * 0x1p-24 *
                             (gain * magnitude + std::fabs(static_cast<double>(base(i, j))));
        CHECK(std::fabs(static_cast<double>(base(i, j)) + gain * product -
                        static_cast<double>(whole(i, j))) <= bound);
      }
    for (const kernel::Isa isa : isas_of_machine())
      for (const Tile cut : {Tile{0, 0, out, in}, Tile{0, 0, 1, 1}, Tile{5, 7, 16, 17},
                             Tile{36, 0, 1, in}, Tile{0, 52, out, 1}}) {
        kernel::set_active_isa(isa);
        Matrix tile(cut.rows, cut.cols);
        for (std::size_t i = 0; i < cut.rows; ++i)
          for (std::size_t j = 0; j < cut.cols; ++j) tile(i, j) = base(cut.row + i, cut.col + j);
        state.add(cut, tile.view());
        int different = 0;
        for (std::size_t i = 0; i < cut.rows; ++i)
          for (std::size_t j = 0; j < cut.cols; ++j)
            different += std::bit_cast<std::uint32_t>(tile(i, j)) !=
                         std::bit_cast<std::uint32_t>(whole(cut.row + i, cut.col + j));
        CHECK(different == 0);
      }
  }
}

TEST_CASE("LowRank: backward adds dA = gain dZ B^T and dB = gain A^T dZ", "[adapter]") {
  constexpr std::size_t out = 9, in = 21, rank = 5;
  State state({out, in}, of_rank(rank, 2.0f));
  randomize(state);
  const auto a = named(state.parameters(), "A"), b = named(state.parameters(), "B");
  const Matrix gradient = random_matrix(out, in, 1.0f, 5);
  constexpr float earlier = 3.0f;  // gradients are added, never overwritten
  std::fill(a.gradient.begin(), a.gradient.end(), earlier);
  std::fill(b.gradient.begin(), b.gradient.end(), earlier);

  // Two column blocks of two row tiles each, as a backend cuts them.
  for (const std::size_t col : {std::size_t{0}, std::size_t{13}}) {
    std::vector<float> shared(state.shared_gradients());
    for (const std::size_t row : {std::size_t{0}, std::size_t{4}}) {
      const Tile tile{row, col, row == 0 ? std::size_t{4} : out - 4,
                      col == 0 ? std::size_t{13} : in - 13};
      state.backward(tile, gradient.view().block(tile), shared);
    }
    state.reduce(shared);
  }
  const double gain = static_cast<double>(state.gain());
  const auto check = [&](float got, double sum, double magnitude, double terms) {
    // One rounding a term, one for the gain and each of two blocks, on top of `earlier`.
    const double bound =
        0x1p-24 * ((terms + 4) * gain * magnitude + 4 * static_cast<double>(earlier));
    CHECK(std::fabs(static_cast<double>(got) - static_cast<double>(earlier) - gain * sum) <= bound);
  };
  for (std::size_t k = 0; k < rank; ++k) {
    for (std::size_t i = 0; i < out; ++i) {
      double sum = 0, magnitude = 0;
      for (std::size_t j = 0; j < in; ++j) {
        const double term =
            static_cast<double>(gradient(i, j)) * static_cast<double>(b.value[k * in + j]);
        sum += term, magnitude += std::fabs(term);
      }
      check(a.gradient[i * rank + k], sum, magnitude, in);
    }
    for (std::size_t j = 0; j < in; ++j) {
      double sum = 0, magnitude = 0;
      for (std::size_t i = 0; i < out; ++i) {
        const double term =
            static_cast<double>(gradient(i, j)) * static_cast<double>(a.value[i * rank + k]);
        sum += term, magnitude += std::fabs(term);
      }
      check(b.gradient[k * in + j], sum, magnitude, out);
    }
  }
}

}  // namespace
}  // namespace lrqat::test
