// SPDX-License-Identifier: MIT
// tests/initializer/qwha.test.cpp: what selected and refitted coefficients leave of an error.
#include <lrqat/initializer/eigen/qwha.hpp>

#include <lrqat/adapter/sparse_hadamard.hpp>
#include <lrqat/backend/reference.hpp>
#include <lrqat/method/qwha.hpp>

#include <catch2/catch.hpp>
#include <support/machine.hpp>
#include <support/matrix.hpp>

#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

namespace lrqat::test {
namespace {

using Catch::Matchers::Contains;

/// Sum of x^T x over tokens whose inputs differ in size and depend on each other.
struct Gram {
  std::size_t in;
  std::vector<double> values;
  explicit Gram(std::size_t inputs, std::size_t tokens = 200) : in(inputs), values(in * in) {
    Matrix x = random_matrix(tokens, in, 1.0f, 21);
    for (std::size_t t = 0; t < tokens; ++t)
      for (std::size_t j = 1; j < in; ++j)
        x(t, j) = (j % 7 == 0 ? 4.0f : 1.0f) * (0.6f * x(t, j - 1) + x(t, j));
    for (std::size_t t = 0; t < tokens; ++t)
      for (std::size_t i = 0; i < in; ++i)
        for (std::size_t j = 0; j < in; ++j)
          values[i * in + j] += static_cast<double>(x(t, i)) * static_cast<double>(x(t, j));
  }
  MatrixView<const double> view() const { return {values.data(), in, in}; }
  /// Rounding errors of delta may not look like gains, so the damping that was fitted counts too.
  double damping() const {
    double trace = 0;
    for (std::size_t j = 0; j < in; ++j) trace += values[j * in + j];
    return 1e-4 * trace / static_cast<double>(in);
  }
};

Matrix delta_of(const SparseRows& f, std::size_t in) {
  const std::size_t out = f.first.size() - 1;
  const kernel::HadamardOrder order = kernel::hadamard_order(in);
  Matrix delta(out, in);
  for (std::size_t i = 0; i < out; ++i)
    for (std::size_t j = 0; j < in; ++j) {
      double sum = 0;
      for (std::size_t e = f.first[i]; e < f.first[i + 1]; ++e)
        if (f.columns[e] / order.size() == j / order.size())
          sum += static_cast<double>(f.values[e]) *
                 kernel::hadamard_entry(order, j % order.size(), f.columns[e] % order.size());
      delta(i, j) = static_cast<float>(sum / std::sqrt(static_cast<double>(order.size())));
    }
  return delta;
}

/// Per row, (E - delta) (Gram + damping) (E - delta)^T.
std::vector<double> left_over(const Matrix& error, const Matrix& delta, const Gram& gram) {
  std::vector<double> left(error.rows);
  for (std::size_t i = 0; i < error.rows; ++i)
    for (std::size_t a = 0; a < error.cols; ++a)
      for (std::size_t b = 0; b < error.cols; ++b)
        left[i] += static_cast<double>(error(i, a) - delta(i, a)) *
                   (gram.values[a * gram.in + b] + (a == b ? gram.damping() : 0)) *
                   static_cast<double>(error(i, b) - delta(i, b));
  return left;
}

constexpr Shape shapes[] = {{9, 32}, {12, 36}, {7, 172}, {20, 48}, {5, 53}};

TEST_CASE("qwha_coefficients: refitted <= selected, refitted <= nothing; r (in + out) of them",
          "[initializer]") {
  for (const Shape shape : shapes) {
    INFO("(" << shape.rows << ", " << shape.cols << ")");
    const Matrix error = random_matrix(shape.rows, shape.cols, 0.1f, shape.cols);
    const Gram gram(shape.cols);
    const std::size_t count = 2 * (shape.rows + shape.cols);
    const SparseRows refitted = qwha_coefficients(error.view(), gram.view(), count);
    const SparseRows selected = qwha_coefficients(error.view(), gram.view(), count, {1e-4, false});
    CHECK(refitted.first == selected.first);
    CHECK(refitted.columns == selected.columns);
    REQUIRE(refitted.first.back() == count);
    for (const float value : refitted.values) CHECK(value != 0.0f);

    const auto none = left_over(error, Matrix(shape.rows, shape.cols), gram);
    const auto rough = left_over(error, delta_of(selected, shape.cols), gram);
    const auto fine = left_over(error, delta_of(refitted, shape.cols), gram);
    // The fit is the minimum of each row; a float spectrum leaves 1e-5 of it to rounding.
    for (std::size_t i = 0; i < shape.rows; ++i) {
      CHECK(fine[i] <= rough[i] + 1e-5 * none[i]);
      CHECK(fine[i] <= none[i] * (1 + 1e-5));
    }
    const auto sum = [](const std::vector<double>& v) {
      return std::accumulate(v.begin(), v.end(), 0.0);
    };
    CHECK(sum(fine) < 0.99 * sum(rough));
    CHECK(sum(rough) < sum(none));

    // A minimum: no single coefficient moved either way does better.
    SparseRows moved = refitted;
    for (const float step : {-0.02f, 0.02f}) {
      moved.values[0] = refitted.values[0] + step;
      CHECK(left_over(error, delta_of(moved, shape.cols), gram)[0] > fine[0]);
    }
  }
}

TEST_CASE("qwha_coefficients: with all of them delta is the error", "[initializer]") {
  for (const Shape shape : shapes) {
    const Matrix error = random_matrix(shape.rows, shape.cols, 0.1f, 4);
    const SparseRows f =
        qwha_coefficients(error.view(), Gram(shape.cols).view(), shape.rows * shape.cols);
    const Matrix delta = delta_of(f, shape.cols);
    // A transform to and fro: log2(in) + 3 roundings of sums of at most sqrt(in) |E|, twice.
    for (std::size_t i = 0; i < delta.values.size(); ++i)
      CHECK(std::fabs(delta.values[i] - error.values[i]) < 0x1p-24f * 2 * 11 * 14 * 0.4f);
  }
}

TEST_CASE("qwha_coefficients: on white inputs, the largest of the spectrum as they are",
          "[initializer]") {
  constexpr std::size_t out = 3, in = 16;
  const Matrix error = random_matrix(out, in, 1.0f, 6);
  Gram white(in, 0);
  for (std::size_t j = 0; j < in; ++j) white.values[j * in + j] = 3.0;
  const SparseRows f = qwha_coefficients(error.view(), white.view(), 19);
  Matrix spectrum = error;
  kernel::hadamard_transform(spectrum.view(), kernel::hadamard_order(in));
  for (std::size_t i = 0; i < out; ++i) {
    std::vector<float> sizes;
    for (std::size_t e = 0; e < in; ++e) sizes.push_back(std::fabs(spectrum(i, e) / 4));
    std::sort(sizes.begin(), sizes.end());
    const std::size_t own = f.first[i + 1] - f.first[i];
    for (std::size_t e = f.first[i]; e < f.first[i + 1]; ++e) {
      CHECK(f.values[e] == Approx(spectrum(i, f.columns[e]) / 4).epsilon(1e-5));
      CHECK(std::fabs(f.values[e]) >= sizes[in - own] * 0.9999f);
    }
  }
}

TEST_CASE("QWHA: budgets follow the weights, to the last coefficient", "[initializer]") {
  using Counts = std::vector<std::size_t>;
  const auto budgets = [](std::vector<double> weights, std::size_t count, std::size_t in) {
    return detail::budgets(weights, count, in);
  };
  CHECK(budgets({1, 2, 1}, 8, 100) == Counts{2, 4, 2});
  CHECK(budgets({1, 2, 1}, 10, 100) == Counts{3, 5, 2});  // 2.5 5 2.5: one left, to the first
  CHECK(budgets({1, 0, 8}, 9, 5) == Counts{2, 2, 5});     // 1 0 5: three left
  CHECK(budgets({0, 0}, 5, 4) == Counts{3, 2});
  CHECK(budgets({1, 1e300}, 6, 3) == Counts{3, 3});
  CHECK(budgets({3}, 0, 4) == Counts{0});
}

TEST_CASE("qwha_coefficients: the same bits for any number of threads", "[initializer]") {
  const MachineSettings restored;
  const Matrix error = random_matrix(130, 48, 0.1f, 2);
  const Gram gram(48);
  set_thread_count(1);
  const SparseRows alone = qwha_coefficients(error.view(), gram.view(), 3 * 178);
  for (const int threads : thread_counts({2, 5})) {
    set_thread_count(threads);
    const SparseRows f = qwha_coefficients(error.view(), gram.view(), 3 * 178);
    CHECK(f.first == alone.first);
    CHECK(f.columns == alone.columns);
    CHECK(bits_of(f.values) == bits_of(alone.values));
  }
}

TEST_CASE("qwha_coefficients: what it cannot work on is an error", "[initializer]") {
  Matrix error = random_matrix(3, 8, 1.0f, 1);
  const Gram gram(8);
  const auto with = [&](const Gram& g, std::size_t count = 5, double damping = 1e-4) {
    return qwha_coefficients(error.view(), g.view(), count, {damping});
  };
  CHECK_THROWS_WITH(with(Gram(9)), Contains("the error is (3, 8), the Gram matrix (9, 9)"));
  CHECK_THROWS_WITH(with(gram, 25), Contains("25 coefficients for a weight (3, 8)"));
  CHECK_THROWS_WITH(with(gram, 5, 0.0), Contains("damping"));
  CHECK_THROWS_WITH(with(Gram(8, 0)), Contains("trace 0"));
  Gram negative(8, 0);
  for (std::size_t j = 0; j < 8; ++j) negative.values[j * 9] = j < 4 ? 3.0 : -2.0;
  CHECK_THROWS_WITH(with(negative, 24), Contains("not positive definite"));
  CHECK(with(Gram(8, 1), 0).values.empty());
  error(1, 2) = std::numeric_limits<float>::infinity();
  CHECK_THROWS_WITH(with(gram), Contains("row 1"));
}

TEST_CASE("start_qwha: the branch takes part of the rounding error away", "[initializer]") {
  using Layer = method::Qwha<2, 4, Reference>;
  constexpr std::size_t out = 24, in = 96;
  const Matrix weight = random_matrix(out, in, 0.3f, 3);
  const Gram gram(in);
  Layer layer(weight.view());
  const auto left = [&] {
    const auto rows = left_over(weight, weight_of(layer), gram);
    return std::accumulate(rows.begin(), rows.end(), 0.0);
  };
  const double before = left();
  start_qwha(layer, weight.view(), gram.view());
  // 480 of 2304 numbers; the published layers go from 0.62 to 0.27 in the norm.
  CHECK(left() < 0.5 * before);
  CHECK_THROWS_WITH(start_qwha(layer, weight.view(), gram.view()), Contains("not 0"));

  Layer again(weight.view());
  start_qwha(again, weight.view(), gram.view());
  CHECK(again.parameters()[0].name == layer.parameters()[0].name);
  CHECK(bits_of(again.parameters()[0].value) == bits_of(layer.parameters()[0].value));
  CHECK_THROWS_WITH(start_qwha(again, Matrix(in, out).view(), gram.view()), Contains("(96, 24)"));
}

}  // namespace
}  // namespace lrqat::test
