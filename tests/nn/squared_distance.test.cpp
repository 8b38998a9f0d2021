// SPDX-License-Identifier: MIT
// tests/nn/squared_distance.test.cpp: sums of squares against plain loops.
#include <lrqat/nn/squared_distance.hpp>

#include <catch2/catch.hpp>
#include <support/finite_difference.hpp>
#include <support/machine.hpp>

#include <vector>

namespace lrqat::test::squares {
namespace {

constexpr std::size_t rows = 130, cols = 19;

double defined(const Tensor<double>& a, const Tensor<double>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.values.size(); ++i)
    sum += (a.values[i] - b.values[i]) * (a.values[i] - b.values[i]);
  return sum;
}

}  // namespace

TEST_CASE("squared_distance: its definition and the gradients of that", "[nn]") {
  Tensor<double> a(rows, cols, 1, 1.0), grad(rows, cols, 5.0);
  const Tensor<double> b(rows, cols, 2, 1.0);
  constexpr double terms = rows * cols;  // none of them negative
  CHECK(squared_distance<double>(a.view(), b.view()) ==
        Approx(defined(a, b)).epsilon(terms * 0x1p-52));
  CHECK(add_squared_distance<double>(a.view(), b.view(), 0.25, grad.view()) ==
        squared_distance<double>(a.view(), b.view()));
  for (double& g : grad.values) g -= 5;
  const auto loss = [&] { return 0.25 * defined(a, b); };
  CHECK(worst_gradient_error(loss, a.values, grad.values, 13, terms) <= 1);
  CHECK(squared_distance<double>(b.view(), b.view()) == 0);
  CHECK(squared_distance<double>({}, {}) == 0);
}

TEST_CASE("squared_distance: the same bits for any number of threads; refuses other shapes",
          "[nn]") {
  const MachineSettings restored;
  const Tensor<float> a(rows, cols, 1, 1.0), b(rows, cols, 2, 1.0), other(cols, rows);
  set_thread_count(1);
  Tensor<float> one(rows, cols);
  const double distance = add_squared_distance<float>(a.view(), b.view(), 0.1, one.view());
  for (const int threads : thread_counts({2, 3, 7})) {
    set_thread_count(threads);
    Tensor<float> many(rows, cols);
    CHECK(add_squared_distance<float>(a.view(), b.view(), 0.1, many.view()) == distance);
    CHECK(many.values == one.values);
  }
  CHECK_THROWS_WITH(squared_distance<float>(a.view(), other.view()),
                    Catch::Contains("(130, 19) from (19, 130)"));
  Tensor<float> narrow(rows, cols - 1);
  CHECK_THROWS_WITH(add_squared_distance<float>(a.view(), b.view(), 1.0, narrow.view()),
                    Catch::Contains("a gradient of (130, 18)"));
}

}  // namespace lrqat::test::squares
