// SPDX-License-Identifier: MIT
// tests/adapter/sparse_hadamard.test.cpp: alpha F H^T / sqrt(n) against the dense product.
#include <lrqat/adapter/sparse_hadamard.hpp>

#include <catch2/catch.hpp>
#include <support/machine.hpp>
#include <support/matrix.hpp>

#include <cmath>
#include <limits>
#include <numeric>

namespace lrqat::test {
namespace {

using Catch::Matchers::Contains;
using State = SparseHadamard<dynamic>::state;

QuantOptions of_rank(std::size_t rank, float alpha = 1.0f) {
  QuantOptions options;
  options.rank = rank;
  options.alpha = alpha;
  return options;
}

/// Entry (j, e) of the orthogonal matrix of all of `in`.
double basis(const State& state, std::size_t j, std::size_t e) {
  const std::size_t n = state.order().size();
  if (j / n != e / n) return 0;
  return kernel::hadamard_entry(state.order(), j % n, e % n) / std::sqrt(static_cast<double>(n));
}

/// All coefficients differ, places as they are.
void randomize(State& state, float scale = 1.0f) {
  const auto values = state.parameters()[0].value;
  const CounterRng random(11, 0);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = scale * random.normal(i);
}

/// delta in double, and the sum of the terms' sizes.
struct Dense {
  std::vector<double> delta, magnitude;
  Dense(const State& state, Shape shape, double alpha)
      : delta(shape.size()), magnitude(shape.size()) {
    for (std::size_t i = 0; i < shape.rows; ++i)
      for (std::size_t e = state.first(i); e < state.first(i + 1); ++e)
        for (std::size_t j = 0; j < shape.cols; ++j) {
          const double term = alpha * static_cast<double>(state.coefficients()[e]) *
                              basis(state, j, state.columns()[e]);
          delta[i * shape.cols + j] += term;
          magnitude[i * shape.cols + j] += std::fabs(term);
        }
  }
};

// Primes, blocks of 4 and of 32, Paley's 12, 20 and 36, and lengths with several blocks of 64 to
// 256.
constexpr Shape shapes[] = {{7, 53}, {5, 172},  {9, 96},  {33, 36},  {3, 288},
                            {6, 64}, {17, 512}, {2, 640}, {5, 1100}, {3, 2048}};

TEST_CASE("SparseHadamard: rank (in + out) places, one set for a seed, in every row", "[adapter]") {
  for (const Shape shape : shapes) {
    State state(shape, of_rank(1));
    INFO("(" << shape.rows << ", " << shape.cols << ")");
    REQUIRE(state.count() == shape.rows + shape.cols);
    REQUIRE(state.first(shape.rows) == state.count());
    for (std::size_t i = 0; i < shape.rows; ++i) {
      const std::size_t own = state.first(i + 1) - state.first(i);
      CHECK(own >= state.count() / shape.rows);
      CHECK(own <= state.count() / shape.rows + 1);
      for (std::size_t e = state.first(i); e < state.first(i + 1); ++e) {
        CHECK(state.columns()[e] < shape.cols);
        if (e > state.first(i)) CHECK(state.columns()[e - 1] < state.columns()[e]);
      }
    }
    for (const float value : state.coefficients()) CHECK(value == 0.0f);
  }
  const auto places = [](std::uint64_t seed, std::uint64_t stream) {
    QuantOptions options = of_rank(2);
    options.seed = seed;
    options.stream = stream;
    State state({40, 64}, options);
    return std::pair(std::vector(state.columns().begin(), state.columns().end()),
                     state.parameters()[0].name);
  };
  CHECK(places(1, 2) == places(1, 2));
  CHECK(places(1, 2).first != places(1, 3).first);
  CHECK(places(1, 2).first != places(2, 2).first);
  CHECK(places(1, 2).second != places(1, 3).second);
  CHECK(SparseHadamard<3>::state({40, 64}, of_rank(7)).count() == 3 * 104);
}

TEST_CASE("SparseHadamard: one parameter, named after the places", "[adapter]") {
  State state({4, 8}, of_rank(2));
  const auto all = state.parameters();
  REQUIRE(all.size() == 1);
  CHECK(all[0].name.starts_with("coefficients@"));
  CHECK(all[0].name.size() == 13 + 8);
  CHECK(all[0].role == Role::adapter);
  CHECK(all[0].value.size() == 24);
  CHECK(all[0].gradient.size() == 24);
  CHECK(state.frozen_bytes() == 5 * sizeof(std::size_t) + 24 * 4 + 4);
}

TEST_CASE("SparseHadamard: what no weight can have is an error", "[adapter]") {
  CHECK_THROWS_WITH(State({8, 8}, of_rank(0)), Contains("rank"));
  CHECK_THROWS_WITH(State({8, 8}, of_rank(5)), Contains("lower the rank"));
  CHECK_NOTHROW(State({8, 8}, of_rank(4)));
  CHECK_THROWS_WITH(State({8, 8}, of_rank(1, std::nanf(""))), Contains("alpha"));
}

TEST_CASE(
    "SparseHadamard: add is z + alpha F H^T / sqrt(n), in tiles of any cut, on every "
    "instruction set",
    "[adapter]") {
  const MachineSettings restored;
  for (const Shape shape : shapes) {
    INFO("(" << shape.rows << ", " << shape.cols << ")");
    State state(shape, of_rank(1, 1.7f));
    randomize(state);
    const Dense expected(state, shape, static_cast<double>(1.7f));
    const Matrix base = random_matrix(shape.rows, shape.cols, 1.0f, 3);
    Matrix whole = base;
    kernel::set_active_isa(kernel::Isa::scalar);
    state.add({0, 0, shape.rows, shape.cols}, whole.view());
    int wrong = 0;
    for (std::size_t i = 0; i < base.values.size(); ++i) {
      const double z = static_cast<double>(base.values[i]);
      // As many roundings as coefficients can meet, 8 stages, the gain's two and the sum.
      const double bound =
          0x1p-24 *
          ((static_cast<double>(state.count()) + 11) * expected.magnitude[i] + std::fabs(z));
      wrong += !(std::fabs(z + expected.delta[i] - static_cast<double>(whole.values[i])) <= bound);
    }
    CHECK(wrong == 0);

    const std::size_t out = shape.rows, in = shape.cols;
    for (const kernel::Isa isa : isas_of_machine())
      for (const Tile cut : {Tile{0, 0, out, in}, Tile{0, 0, 1, 1}, Tile{1, in / 3, 1, in / 2},
                             Tile{0, in - 1, out, 1}, Tile{0, in / 8, out, in / 4}}) {
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

TEST_CASE("SparseHadamard: a coefficient that is no number reaches its row alone", "[adapter]") {
  State state({3, 64}, of_rank(1));
  state.parameters()[0].value[state.first(1)] = std::numeric_limits<float>::infinity();
  Matrix z(3, 64, 1.0f);
  state.add({0, 0, 3, 64}, z.view());
  for (std::size_t j = 0; j < 64; ++j) {
    CHECK(z(0, j) == 1.0f);
    CHECK(!std::isfinite(z(1, j)));
    CHECK(z(2, j) == 1.0f);
  }
}

TEST_CASE("SparseHadamard: backward adds alpha dZ H / sqrt(n) at the places", "[adapter]") {
  for (const Shape shape : shapes) {
    INFO("(" << shape.rows << ", " << shape.cols << ")");
    State state(shape, of_rank(1, 2.5f));
    const Matrix gradient = random_matrix(shape.rows, shape.cols, 1.0f, 5);
    const auto sums = state.parameters()[0].gradient;
    constexpr float earlier = 3.0f;  // gradients are added, never overwritten
    std::fill(sums.begin(), sums.end(), earlier);
    // Two column blocks of two row tiles each, as a backend cuts them.
    const std::size_t left = (shape.cols * 5 + 12) / 13, top = shape.rows / 2;
    for (const std::size_t col : {std::size_t{0}, left}) {
      std::vector<float> shared(state.shared_gradients());
      for (const std::size_t row : {std::size_t{0}, top}) {
        const Tile tile{row, col, row == 0 ? top : shape.rows - top,
                        col == 0 ? left : shape.cols - left};
        state.backward(tile, gradient.view().block(tile), shared);
      }
      state.reduce(shared);
    }
    int wrong = 0;
    for (std::size_t i = 0; i < shape.rows; ++i)
      for (std::size_t e = state.first(i); e < state.first(i + 1); ++e) {
        double sum = 0, magnitude = 0;
        for (std::size_t j = 0; j < shape.cols; ++j) {
          const double term =
              2.5 * static_cast<double>(gradient(i, j)) * basis(state, j, state.columns()[e]);
          sum += term, magnitude += std::fabs(term);
        }
        // 8 stages, a sum over blocks, gain and two blocks of columns on top of `earlier`.
        const double bound = 0x1p-24 * ((8 + static_cast<double>(shape.cols) + 4) * magnitude +
                                        4 * static_cast<double>(earlier));
        wrong += !(std::fabs(static_cast<double>(sums[e]) - static_cast<double>(earlier) - sum) <=
                   bound);
      }
    CHECK(wrong == 0);
  }
}

/// Two elements in row 0, none in row 1, all the others in row 2.
SparseRows uneven_rows() {
  SparseRows f{{0, 2, 2, 11}, {}, std::vector<float>(11)};
  f.columns = {1, 6, 0, 1, 2, 3, 4, 5, 6, 7, 8};
  std::iota(f.values.begin(), f.values.end(), 1.0f);
  return f;
}

TEST_CASE("SparseHadamard: coefficients and places can be given", "[adapter]") {
  State state({3, 8}, of_rank(1, 4.0f));
  const std::string before = state.parameters()[0].name;
  SparseRows f = uneven_rows();
  CHECK_THROWS_WITH(state.set_coefficients(f), Contains("do not ascend below in = 8"));
  CHECK(state.parameters()[0].name == before);
  f = {{0, 2, 3, 11}, {1, 6, 3, 0, 1, 2, 3, 4, 5, 6, 7}, f.values};
  state.set_coefficients(f);
  CHECK(state.parameters()[0].name != before);
  Matrix delta(3, 8);
  state.add({0, 0, 3, 8}, delta.view());
  for (std::size_t j = 0; j < 8; ++j) {
    // Row 2 has all coefficients: F(2, e) = 4 + e.
    double expected = 0;
    for (std::size_t e = 0; e < 8; ++e) expected += static_cast<double>(4 + e) * basis(state, j, e);
    CHECK(static_cast<double>(delta(2, j)) == Approx(expected).margin(1e-5));
    CHECK(static_cast<double>(delta(1, j)) == Approx(3 * basis(state, j, 3)));
    CHECK(static_cast<double>(delta(0, j)) ==
          Approx(basis(state, j, 1) + 2 * basis(state, j, 6)).margin(1e-6));
  }

  const auto refused = [&](auto change, const char* part) {
    SparseRows bad = f;
    change(bad);
    CHECK_THROWS_WITH(state.set_coefficients(bad), Contains(part));
  };
  refused([](SparseRows& bad) { bad.first.pop_back(); }, "11 elements in 3 rows");
  refused([](SparseRows& bad) { bad.first[1] = 4; }, "11 elements in 3 rows");
  refused([](SparseRows& bad) { bad.values.push_back(0); }, "11 elements in 3 rows");
  refused([](SparseRows& bad) { std::swap(bad.columns[0], bad.columns[1]); }, "do not ascend");
  refused([](SparseRows& bad) { bad.columns[1] = bad.columns[0]; }, "do not ascend");
  refused([](SparseRows& bad) { bad.values[3] = std::nanf(""); }, "row 2");
  CHECK(state.coefficients()[10] == 11.0f / 4.0f);
  State without_gain({3, 8}, of_rank(1, 0.0f));
  CHECK_THROWS_WITH(without_gain.set_coefficients(f), Contains("alpha = 0"));
}

}  // namespace
}  // namespace lrqat::test
