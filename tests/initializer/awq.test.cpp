// SPDX-License-Identifier: MIT
// tests/initializer/awq.test.cpp: round to nearest as a function, AWQ's scale and its clip search.
#include <lrqat/initializer/awq.hpp>

#include <lrqat/granularity/per_group.hpp>
#include <lrqat/granularity/per_tensor.hpp>
#include <lrqat/grid/int.hpp>
#include <lrqat/grid/offset.hpp>
#include <lrqat/grid/uint.hpp>

#include <catch2/catch.hpp>
#include <support/matrix.hpp>

#include <cmath>
#include <limits>
#include <vector>

namespace lrqat::test {
namespace {

using Catch::Matchers::Contains;
using Weights = std::vector<MatrixView<const float>>;

/// A few channels are far larger than the others.
Matrix with_outliers(std::size_t tokens, std::size_t in) {
  Matrix x = random_matrix(tokens, in, 1.0f, 21);
  for (std::size_t t = 0; t < tokens; ++t)
    for (std::size_t j = 0; j < in; j += 11) x(t, j) *= 30;
  return x;
}

InputStatistics statistics_of(const Matrix& x) {
  InputStatistics statistics(x.cols);
  statistics.add(x.view());
  return statistics;
}

TEST_CASE("output_error: the mean over tokens of the squared error of the outputs",
          "[initializer]") {
  const Matrix weight = random_matrix(37, 19, 0.1f, 1), other = random_matrix(37, 19, 0.1f, 2);
  const Matrix x = with_outliers(200, 19);
  double sum = 0;
  for (std::size_t t = 0; t < 200; ++t)
    for (std::size_t i = 0; i < 37; ++i) {
      double off = 0;
      for (std::size_t j = 0; j < 19; ++j)
        off += static_cast<double>(weight(i, j) - other(i, j)) * static_cast<double>(x(t, j));
      sum += off * off / 200;
    }
  // Products of up to 256 tokens and of 19 inputs are summed in float; terms of both signs, whose
  // sizes add up to less than 10 times the sum here.
  CHECK(std::fabs(output_error(weight.view(), other.view(), statistics_of(x)) - sum) <=
        10 * (256 + 19) * 0x1p-24 * sum);
  CHECK(output_error(weight.view(), weight.view(), statistics_of(x)) == 0);
  CHECK_THROWS_WITH(output_error(weight.view(), other.view(), InputStatistics(19)),
                    Contains("no token"));
}

TEST_CASE("AWQ: exponent 0 is no scale at all", "[initializer]") {
  const std::vector<double> mean{0.0, 1.0, 300.0};  // a dead input too
  for (const float scale : awq_scale_of(mean, 0)) CHECK(scale == 1.0f);
}

TEST_CASE("AWQ: the rule of its scale", "[initializer]") {
  const std::vector<float> scale = awq_scale_of(std::vector<double>{4.0, 0.25, 1.0}, 0.5);
  CHECK(scale == std::vector<float>{2.0f, 0.5f, 1.0f});  // 2, 1/2, 1 over sqrt(2 * 1/2)
  const std::vector<float> dead = awq_scale_of(std::vector<double>{0.0, 1.0}, 0.5);
  CHECK(dead[0] == Approx(1e-4 / std::sqrt(1e-4)));
  CHECK_THROWS_WITH(awq_scale_of(std::vector<double>{1.0, std::nan("")}, 0.5),
                    Contains("input 1 is nan"));
}

TEST_CASE("AWQ: the chosen error is at most that of round to nearest", "[initializer]") {
  const Matrix query = random_matrix(24, 44, 0.1f, 3), key = random_matrix(8, 44, 0.1f, 4);
  const InputStatistics inputs = statistics_of(with_outliers(300, 44));
  const Weights both{query.view(), key.view()};
  const AwqScale found = awq_scale<UInt<3>>(both, inputs);
  const double rtn =
      output_error(query.view(), round_to_nearest<UInt<3>>(query.view()).weight(), inputs) +
      output_error(key.view(), round_to_nearest<UInt<3>>(key.view()).weight(), inputs);
  CHECK(found.plain_error == rtn);
  CHECK(found.error < rtn);  // with such outliers
  CHECK(found.exponent > 0);
  CHECK(found.error <= found.plain_error);
  // Where inputs are alike no exponent is much better, and none is ever worse.
  const InputStatistics alike = statistics_of(random_matrix(300, 44, 1.0f, 5));
  const AwqScale plain = awq_scale<Int<4>>(Weights{query.view()}, alike);
  CHECK(plain.error <= plain.plain_error);
  CHECK_THROWS_WITH(awq_scale<Int<4>>(Weights{}, alike), Contains("no weight"));
  CHECK_THROWS_WITH(awq_scale<Int<4>>(Weights{Matrix(3, 5).view()}, alike),
                    Contains("(3, 5) meets statistics of 44 inputs"));
}

TEST_CASE("AWQ: a given error decides, the first of equals", "[initializer]") {
  const std::vector<double> mean{1.0, 4.0};
  const auto wants = [](float middle) {
    return [middle](std::span<const float> scale) {
      return std::fabs(static_cast<double>(scale[1] / scale[0] - middle));
    };
  };
  CHECK(awq_scale(mean, wants(2.0f)).exponent == 0.5);
  CHECK(awq_scale(mean, wants(5.0f)).exponent == 0.95);
  CHECK(awq_scale(mean, [](std::span<const float>) { return 7.0; }).exponent == 0);
  CHECK_THROWS_WITH(awq_scale(mean, [](std::span<const float>) { return std::nan(""); }),
                    Contains("exponent 0 is not a number"));
}

template <class G, class Gran>
void check_clip(const QuantOptions& options) {
  const Matrix weight = random_matrix(9, 50, 0.1f, 6);
  const InputStatistics inputs = statistics_of(with_outliers(100, 50));
  const WeightOnGrid rtn = round_to_nearest<G, Gran>(weight.view(), options);
  const WeightOnGrid found = awq_clip<G, Gran>(weight.view(), inputs, options);
  const ScaleLayout layout = Gran::layout({9, 50}, options);
  const auto group_error = [&](const WeightOnGrid& of, std::size_t row, std::size_t col,
                               std::size_t count) {
    double sum = 0;
    for (std::size_t i = col; i < col + count; ++i)
      for (std::size_t j = col; j < col + count; ++j)
        sum += static_cast<double>(of.weight()(row, i) - weight(row, i)) * inputs.gram()(i, j) *
               static_cast<double>(of.weight()(row, j) - weight(row, j));
    return sum;
  };
  std::size_t worse = 0, better = 0, off_grid = 0;
  layout.for_each_segment({0, 0, 9, 50}, [&](auto row, auto col, auto count, auto cell) {
    const double before = group_error(rtn, row, col, count);
    const double after = group_error(found, row, col, count);
    worse += after > before * (1 + 1e-9);  // sums of 2500 doubles in two orders
    better += after < before * (1 - 1e-9);
    for (std::size_t j = col; j < col + count; ++j)
      off_grid += on_grid<G>(found.weight()(row, j), found.qparams[cell]) != found.weight()(row, j);
  });
  CHECK(worse == 0);
  CHECK(better > 0);
  CHECK(off_grid == 0);
}

TEST_CASE("AWQ: clipping never makes a group's own error larger", "[initializer]") {
  QuantOptions options;
  options.group_size = 16;
  check_clip<Int<3>, PerChannel>({});
  check_clip<UInt<3>, PerGroup<dynamic>>(options);
  check_clip<Offset<Int<3>>, PerGroup<dynamic>>(options);
}

TEST_CASE("AWQ: clipping groups of zeros, and what it cannot clip", "[initializer]") {
  Matrix weight(2, 6);
  const InputStatistics inputs = statistics_of(with_outliers(20, 6));
  const WeightOnGrid zeros = awq_clip<UInt<4>>(weight.view(), inputs);
  CHECK(zeros.qparams[0].scale == scale_floor);
  for (const float value : zeros.values) CHECK(value == 0.0f);
  CHECK_THROWS_WITH((awq_clip<Int<4>, PerTensor>(weight.view(), inputs)),
                    Contains("PerChannel or PerGroup"));
  weight(1, 3) = std::numeric_limits<float>::infinity();
  CHECK_THROWS_WITH(awq_clip<Int<4>>(weight.view(), inputs),
                    Contains("weight (1, 3) is not finite"));
  CHECK_THROWS_WITH(round_to_nearest<Int<4>>(weight.view()),
                    Contains("weight (1, 3) is not finite"));
}

}  // namespace
}  // namespace lrqat::test
