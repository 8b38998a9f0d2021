// SPDX-License-Identifier: MIT
// tests/adapter/gated_low_rank.test.cpp: a branch that fades, column by column, without a trace.
#include <lrqat/adapter/gated_low_rank.hpp>

#include <lrqat/initializer/eigen/shrink.hpp>

#include <catch2/catch.hpp>
#include <support/matrix.hpp>

#include <cmath>
#include <limits>

namespace lrqat::test {
namespace {

using Catch::Matchers::Contains;
using Adapter8 = GatedLowRank<8>::state;
constexpr std::size_t out = 19, in = 37;
constexpr Tile whole{0, 0, out, in}, piece{3, 5, 11, 17};

template <class State>
void randomize(State& state) {
  for (const Parameter<float>& each : state.parameters())
    for (std::size_t i = 0; i < each.value.size(); ++i)
      each.value[i] = CounterRng(1, each.name == "A").normal(i);
}
template <class State>
Matrix delta(const State& state, const Tile& tile = whole) {
  Matrix z(tile.rows, tile.cols);
  state.add(tile, z.view());
  return z;
}
double distance(const Matrix& a, const Matrix& b) {
  double most = 0;
  for (std::size_t i = 0; i < a.values.size(); ++i)
    most = std::max(most, std::fabs(double{a.values[i]} - double{b.values[i]}));
  return most;
}

TEST_CASE("GatedLowRank: open gates are LowRank, bit for bit", "[adapter]") {
  const QuantOptions options{.alpha = 5.0f, .seed = 3};
  Adapter8 gated({out, in}, options);
  LowRank<8>::state plain({out, in}, options);
  CHECK(bits_of({gated.b().data, 8 * in}) == bits_of({plain.b().data, 8 * in}));
  randomize(gated);
  randomize(plain);
  for (const Tile& tile : {whole, piece})
    CHECK(bits_of(delta(gated, tile).values) == bits_of(delta(plain, tile).values));
  const Matrix g = random_matrix(piece.rows, piece.cols, 1.0f, 2);
  std::vector<float> shared(gated.shared_gradients()), other(shared.size());
  gated.backward(piece, g.view(), shared);
  plain.backward(piece, g.view(), other);
  gated.reduce(shared);
  plain.reduce(other);
  const auto mine = gated.parameters(), theirs = plain.parameters();
  for (std::size_t p = 0; p < 2; ++p)
    CHECK(bits_of(mine[p].gradient) == bits_of(theirs[p].gradient));
}

TEST_CASE("GatedLowRank: delta and gradients are those of A diag(gates) B", "[adapter]") {
  Adapter8 gated({out, in}, {.alpha = 3.0f});
  randomize(gated);
  gated.set_gate(3, 0.25f);
  CHECK(copy_of(gated.gates()) == std::vector<float>{1, 1, 1, .25f, .25f, .25f, .25f, .25f});
  const double gain = 3.0 / 8;
  const Matrix z = delta(gated), g = random_matrix(out, in, 1.0f, 2);
  std::vector<float> shared(gated.shared_gradients());
  gated.backward(whole, g.view(), shared);
  gated.reduce(shared);
  const auto parameters = gated.parameters();
  const auto a = gated.a(), b = gated.b();
  for (std::size_t i = 0; i < out; ++i)
    for (std::size_t j = 0; j < in; ++j) {
      double sum = 0;
      for (std::size_t k = 0; k < 8; ++k)
        sum += double{a(i, k)} * double{gated.gates()[k]} * double{b(k, j)};
      CHECK(double{z(i, j)} == Approx(gain * sum).margin(1e-5));
    }
  for (std::size_t k = 0; k < 8; ++k) {
    const double factor = gain * double{gated.gates()[k]};
    for (std::size_t i = 0; i < out; ++i) {
      double sum = 0;
      for (std::size_t j = 0; j < in; ++j) sum += double{g(i, j)} * double{b(k, j)};
      CHECK(double{parameters[0].gradient[i * 8 + k]} == Approx(factor * sum).margin(1e-5));
    }
    for (std::size_t j = 0; j < in; ++j) {
      double sum = 0;
      for (std::size_t i = 0; i < out; ++i) sum += double{g(i, j)} * double{a(i, k)};
      CHECK(double{parameters[1].gradient[k * in + j]} == Approx(factor * sum).margin(1e-5));
    }
  }
}

TEST_CASE("GatedLowRank: at rank 0 nothing is added and nothing is trained", "[adapter]") {
  Adapter8 gated({out, in}, {});
  CHECK_FALSE(gated.has_vanished());
  shrink(gated, 0);
  CHECK(gated.has_vanished());
  CHECK(gated.parameters().empty());
  CHECK(gated.shared_gradients() == 0);
  Matrix z(out, in, -0.0f);
  gated.add(whole, z.view());
  CHECK(bits_of(z.values) == bits_of(Matrix(out, in, -0.0f).values));
  gated.backward(whole, random_matrix(out, in, 1.0f, 1).view(), {});
  gated.reduce({});
  shrink(gated, 0);
}

TEST_CASE("shrink: with the others' gates at 0 the product stays", "[adapter][eigen]") {
  for (const Shape shape : {Shape{out, in}, Shape{3, 50}, Shape{50, 3}}) {
    const Tile all{0, 0, shape.rows, shape.cols};
    Adapter8 gated(shape, {.alpha = 8.0f});
    randomize(gated);
    for (const std::size_t rank : {4u, 2u, 1u}) {
      gated.set_gate(rank, 0.0f);
      const Matrix before = delta(gated, all);
      shrink(gated, rank);
      CHECK(gated.rank() == std::min({rank, shape.rows, shape.cols}));
      CHECK(copy_of(gated.gates()) == std::vector<float>(gated.rank(), 1.0f));
      CHECK(distance(delta(gated, all), before) < 2e-5);
      CHECK(gated.parameters()[0].gradient.size() == shape.rows * gated.rank());
      if (gated.rank() < rank) break;
    }
  }
}

TEST_CASE("shrink: keeps the largest part, in falling order", "[adapter][eigen]") {
  Adapter8 gated({out, in}, {.alpha = 8.0f});
  randomize(gated);
  const Matrix before = delta(gated);
  const LowRankFactors best = svd_low_rank(before.view(), 5);
  shrink(gated, 5);
  double last = HUGE_VAL;
  for (std::size_t k = 0; k < 5; ++k) {
    double size = 0;
    for (std::size_t i = 0; i < out; ++i) size += std::pow(double{gated.a()(i, k)}, 2);
    CHECK(size < last);
    last = size;
  }
  Adapter8 expected({out, in}, {.alpha = 8.0f});
  expected.set_factors(best.a(), best.b());
  CHECK(distance(delta(gated), delta(expected)) < 2e-5);
}

TEST_CASE("rank_gate: halves to zero, half a cosine a phase", "[adapter]") {
  CHECK(rank_gate(0, 32, 333) == RankGate{32, 16, 1.0f});
  std::size_t phase = 0;
  for (const std::size_t rank : {32u, 16u, 8u, 4u, 2u, 1u}) {
    float before = 2.0f;
    for (std::size_t step = 0; step < 333; ++step) {
      const RankGate now = rank_gate(phase * 333 + step, 32, 333);
      CHECK(now.rank == rank);
      CHECK(now.kept == rank / 2);
      CHECK(now.gate < before);
      before = now.gate;
    }
    CHECK(before > 0.0f);
    CHECK(before < 3e-5f);
    ++phase;
  }
  CHECK(rank_gate(6 * 333, 32, 333) == RankGate{0, 0, 0.0f});
  CHECK(rank_gate(100000, 32, 333).rank == 0);
  CHECK(rank_gate(100, 32, 200).gate == Approx(0.5f));
  CHECK(rank_gate(5, 3, 5) == RankGate{1, 0, 1.0f});
  CHECK(rank_gate(0, 0, 1).rank == 0);
  CHECK_THROWS_WITH(rank_gate(0, 32, 0), Contains("at least one step"));
}

TEST_CASE("GatedLowRank, LowRank: factors and gates that do not fit are refused", "[adapter]") {
  Adapter8 gated({out, in}, {});
  CHECK_THROWS_WITH(gated.set_gate(9, 0.5f), Contains("9 columns to keep of 8"));
  CHECK_THROWS_WITH(gated.set_gate(2, 1.5f), Contains("a gate of 1.5"));
  CHECK_THROWS_WITH(gated.set_gate(2, std::nanf("")), Contains("outside 0 .. 1"));
  CHECK_THROWS_WITH(shrink(gated, 9), Contains("rank 9 of an adapter of rank 8"));
  const Matrix a = random_matrix(out, 9, 1.0f, 1), b = random_matrix(9, in, 1.0f, 2);
  CHECK_THROWS_WITH(gated.set_factors(a.view(), b.view()), Contains("rank 9, at most 8"));
  LowRank<8>::state plain({out, in}, {});
  CHECK_THROWS_WITH(
      plain.set_factors(a.view(), b.view()),
      Contains("A is (19, 9) and B (9, 37), the adapter has A (19, 8) and B (8, 37)"));
  Matrix small = random_matrix(8, in, 1.0f, 2);
  const auto eight = a.view().block(0, 0, out, 8);
  plain.set_factors(eight, small.view());
  CHECK(plain.a()(3, 7) == a(3, 7));
  CHECK(plain.b()(7, 5) == small(7, 5));
  small(7, 5) = std::numeric_limits<float>::infinity();
  CHECK_THROWS_WITH(plain.set_factors(eight, small.view()), Contains("B(7, 5) is not finite"));
}

}  // namespace
}  // namespace lrqat::test
