// SPDX-License-Identifier: MIT
// tests/initializer/eigen/low_rank.test.cpp: SVD, LoftQ, LQER and L2QER: what their papers promise.
#include <lrqat/initializer/eigen/loftq.hpp>
#include <lrqat/initializer/eigen/lqer.hpp>
#include <lrqat/initializer/eigen/svd_low_rank.hpp>

#include <lrqat/grid/codebook.hpp>
#include <lrqat/grid/int.hpp>
#include <lrqat/initializer/full_range.hpp>
#include <lrqat/initializer/min_max.hpp>
#include <lrqat/initializer/round_to_grid.hpp>
#include <lrqat/scale_format/float32_scale.hpp>
#include <lrqat/scale_format/power_of_two_scale.hpp>

#include <catch2/catch.hpp>
#include <support/matrix.hpp>

#include <cmath>
#include <limits>

namespace lrqat::test {
namespace {

using Catch::Matchers::Contains;

/// |(w - q - A B) diag(a)|, Frobenius, in double; q, factors and a may be left out.
double error_norm(const Matrix& w, const Matrix& q, const LowRankFactors& factors,
                  const std::vector<float>& a = {}) {
  double sum = 0;
  for (std::size_t i = 0; i < w.rows; ++i)
    for (std::size_t j = 0; j < w.cols; ++j) {
      double left = double{w(i, j)} - double{q(i, j)};
      for (std::size_t k = 0; k < factors.rank; ++k)
        left -= double{factors.a()(i, k)} * double{factors.b()(k, j)};
      sum += std::pow(a.empty() ? left : left * double{a[j]}, 2);
    }
  return std::sqrt(sum);
}

const auto nf2 = [](MatrixView<const float> values, MatrixView<float> rounded) {
  for (std::size_t i = 0; i < values.rows; ++i)
    std::copy_n(values.row(i).data(), values.cols, rounded.row(i).data());
  round_to_grid<Codebook<Nf2>, MinMax, Float32Scale>(rounded, 16);
};
const auto mxint4 = [](const Matrix& values) {
  Matrix rounded = values;
  round_to_grid<Int<4>, FullRange, PowerOfTwoScale>(rounded.view(), 16);
  return rounded;
};

TEST_CASE("svd_low_rank: error falls with the rank to zero; the factors share the roots",
          "[eigen]") {
  for (const auto& [rows, cols] : {std::pair{1u, 7u}, {7u, 1u}, {17u, 23u}, {33u, 16u}}) {
    const Matrix w = random_matrix(rows, cols, 1.0f, rows), zero(rows, cols);
    double before = error_norm(w, zero, {});
    const double whole = before;
    for (std::size_t rank = 1; rank <= std::min(rows, cols); ++rank) {
      const LowRankFactors factors = svd_low_rank(w.view(), rank);
      const double error = error_norm(w, zero, factors);
      CHECK(error < before);
      before = error;
      for (std::size_t k = 0; k < rank; ++k) {  // |column k of A| = |row k of B|
        double a = 0, b = 0;
        for (std::size_t i = 0; i < rows; ++i) a += std::pow(double{factors.a()(i, k)}, 2);
        for (std::size_t j = 0; j < cols; ++j) b += std::pow(double{factors.b()(k, j)}, 2);
        CHECK(a == Approx(b).epsilon(1e-5));
      }
    }
    CHECK(before < 1e-5 * whole);
  }
}

TEST_CASE("svd_low_rank: the same bits again, and bad input is refused", "[eigen]") {
  Matrix w = random_matrix(40, 24, 1.0f, 3);
  const int threads = Eigen::nbThreads();
  const LowRankFactors first = svd_low_rank(w.view(), 5);
  Eigen::setNbThreads(3);
  const LowRankFactors second = svd_low_rank(w.view(), 5);
  CHECK(Eigen::nbThreads() == (threads > 1 ? 3 : Eigen::nbThreads()));
  Eigen::setNbThreads(threads);
  CHECK(bits_of(first.a_values) == bits_of(second.a_values));
  CHECK(bits_of(first.b_values) == bits_of(second.b_values));
  CHECK_THROWS_WITH(svd_low_rank(w.view(), 0), Contains("rank 0 of a matrix (40, 24)"));
  CHECK_THROWS_WITH(svd_low_rank(w.view(), 25), Contains("rank 25 of a matrix (40, 24)"));
  w(3, 4) = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_WITH(svd_low_rank(w.view(), 5), Contains("number (3, 4) is not finite"));
}

TEST_CASE("into_grid_units: a row's scale divides its row of A; groups are refused", "[eigen]") {
  const Matrix w = random_matrix(5, 8, 1.0f, 4);
  const LowRankFactors before = svd_low_rank(w.view(), 2);
  LowRankFactors factors = before;
  const std::vector<float> scales{0.5f, 0.25f, 1.0f, 2.0f, 4.0f};
  into_grid_units(factors, {{5, 1}, 8}, scales);
  for (std::size_t i = 0; i < 5; ++i)
    for (std::size_t k = 0; k < 2; ++k)
      CHECK(factors.a()(i, k) * scales[i] == std::as_const(before).a()(i, k));
  CHECK(bits_of(factors.b_values) == bits_of(before.b_values));
  CHECK_THROWS_WITH(into_grid_units(factors, {{5, 2}, 4}, std::vector<float>(10, 1.0f)),
                    Contains("not representable at rank 2"));
  CHECK_THROWS_WITH(into_grid_units(factors, {{4, 1}, 8}, std::vector<float>(4, 1.0f)),
                    Contains("4 scales for A of 5 rows"));
}

TEST_CASE("LoftQ: each round is below its own rounding, round 1 below RTN", "[eigen]") {
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    const Matrix w = random_matrix(24, 33, 0.1f, seed);
    Matrix rtn(24, 33);
    nf2(w.view(), rtn.view());
    const double rtn_error = error_norm(w, rtn, {});
    double best = HUGE_VAL;
    for (std::size_t rounds = 1; rounds <= 5; ++rounds) {
      std::vector<double> below;  // |W - Q| of each round
      const auto watched = [&](MatrixView<const float> values, MatrixView<float> rounded) {
        nf2(values, rounded);
        Matrix q(24, 33);
        for (std::size_t i = 0; i < 24; ++i) std::copy_n(rounded.row(i).data(), 33, &q(i, 0));
        below.push_back(error_norm(w, q, {}));
      };
      const LoftQ result = loftq(w.view(), 4, rounds, watched);
      REQUIRE(below.size() == rounds);
      const double error = error_norm(w, {24, 33, result.base}, result.factors);
      CHECK(result.error == Approx(error).epsilon(1e-5));
      REQUIRE((result.round >= 1 && result.round <= rounds));
      CHECK(error < below[result.round - 1]);
      CHECK(error < rtn_error);
      CHECK(error <= best * (1 + 1e-6));  // the best round is kept
      best = error;
      Matrix again(24, 33);
      nf2(Matrix(24, 33, result.source).view(), again.view());
      CHECK(bits_of(again.values) == bits_of(result.base));
    }
    CHECK(loftq(w.view(), 24, 1, nf2).error < 1e-5 * rtn_error);
  }
}

TEST_CASE("LoftQ: bad input is refused", "[eigen]") {
  const Matrix w = random_matrix(4, 6, 0.1f, 1);
  CHECK_THROWS_WITH(loftq(w.view(), 2, 0, nf2), Contains("at least one round"));
  CHECK_THROWS_WITH(loftq(w.view(), 5, 1, nf2), Contains("rank 5 of a matrix (4, 6)"));
}

TEST_CASE("LQER: zero error at full rank, never above RTN, each best in its own norm", "[eigen]") {
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    const Matrix w = random_matrix(19, 32, 0.1f, seed), q = mxint4(w);
    std::vector<float> magnitudes(32);
    for (std::size_t j = 0; j < 32; ++j)
      magnitudes[j] = std::exp(1.5f * CounterRng(seed, 9).normal(j));
    const double rtn = error_norm(w, q, {}), weighted_rtn = error_norm(w, q, {}, magnitudes);
    double before = rtn, weighted_before = weighted_rtn;
    for (std::size_t k = 1; k <= 19; ++k) {
      const LowRankFactors plain = lqer(w.view(), q.view(), k);
      const LowRankFactors weighted = l2qer(w.view(), q.view(), magnitudes, k);
      const double plain_error = error_norm(w, q, plain);
      const double weighted_error = error_norm(w, q, weighted, magnitudes);
      CHECK(plain_error < before);
      CHECK(weighted_error < weighted_before);
      before = plain_error;
      weighted_before = weighted_error;
      CHECK(error_norm(w, q, weighted) < rtn);
      if (k == 19) break;
      CHECK(plain_error < error_norm(w, q, weighted));
      CHECK(weighted_error < error_norm(w, q, plain, magnitudes));
    }
    CHECK(before < 1e-5 * rtn);
    CHECK(weighted_before < 1e-5 * weighted_rtn);
  }
}

TEST_CASE("L2QER: equal magnitudes are LQER; silent inputs count 1e-4", "[eigen]") {
  const Matrix w = random_matrix(9, 16, 0.1f, 2), q = mxint4(w);
  const std::vector<float> equal(16, 3.0f);
  const LowRankFactors plain = lqer(w.view(), q.view(), 4),
                       weighted = l2qer(w.view(), q.view(), equal, 4);
  CHECK(error_norm(w, q, plain) == Approx(error_norm(w, q, weighted)).epsilon(1e-6));
  std::vector<float> silent = equal;
  silent[3] = 0.0f;
  const LowRankFactors with_silent = l2qer(w.view(), q.view(), silent, 4);
  silent[3] = 1e-4f;
  CHECK(bits_of(l2qer(w.view(), q.view(), silent, 4).b_values) == bits_of(with_silent.b_values));
}

TEST_CASE("L2QER: bad input is refused", "[eigen]") {
  const Matrix w = random_matrix(4, 6, 0.1f, 1), other(4, 5);
  std::vector<float> magnitudes(6, 1.0f);
  CHECK_THROWS_WITH(lqer(w.view(), other.view(), 2), Contains("the quantized one (4, 5)"));
  CHECK_THROWS_WITH(lqer(w.view(), w.view(), 5), Contains("rank 5"));
  CHECK_THROWS_WITH(l2qer(w.view(), w.view(), std::vector<float>(5, 1.0f), 2),
                    Contains("5 magnitudes of 6 inputs"));
  magnitudes[2] = std::numeric_limits<float>::infinity();
  CHECK_THROWS_WITH(l2qer(w.view(), w.view(), magnitudes, 2),
                    Contains("magnitude 2 is not finite"));
}

}  // namespace
}  // namespace lrqat::test
