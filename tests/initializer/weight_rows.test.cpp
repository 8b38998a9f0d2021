// SPDX-License-Identifier: MIT
// tests/initializer/weight_rows.test.cpp: layers made from rows equal layers made from a matrix.
#include <lrqat/initializer/weight_rows.hpp>

#include <lrqat/lrqat.hpp>

#include <catch2/catch.hpp>
#include <support/matrix.hpp>

#include <cmath>
#include <vector>

namespace lrqat::test {
namespace {

using Catch::Matchers::Contains;

/// Rows that are computed, not kept.
struct Waves {
  void operator()(std::size_t row, std::span<float> values) const {
    for (std::size_t j = 0; j < values.size(); ++j)
      values[j] = std::sin(static_cast<float>(row * values.size() + j) * 0.7f + 0.1f);
  }
};

Matrix matrix_of(Shape shape) {
  Matrix weight(shape.rows, shape.cols);
  for (std::size_t row = 0; row < shape.rows; ++row) Waves()(row, weight.view().row(row));
  return weight;
}

bool same(std::span<const float> a, std::span<const float> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

template <class Layer>
void check_rows_and_matrix(const QuantOptions& options) {
  const Shape shape{37, 48};
  const Matrix weight = matrix_of(shape);
  std::vector<float> bias(shape.rows, 0.5f);
  Layer from_matrix(weight.view(), options, bias);
  const int before = thread_count();
  for (const int threads : {1, 3}) {
    set_thread_count(threads);
    Layer from_rows(shape, Waves(), options, bias);
    CHECK(std::equal(from_rows.weight().base().begin(), from_rows.weight().base().end(),
                     from_matrix.weight().base().begin(), from_matrix.weight().base().end()));
    CHECK(same(from_rows.weight().scales(), from_matrix.weight().scales()));
    CHECK(same(from_rows.weight().zero_points(), from_matrix.weight().zero_points()));
    CHECK(same(from_rows.bias(), from_matrix.bias()));
    auto wanted = from_matrix.parameters();
    auto got = from_rows.parameters();
    REQUIRE(got.size() == wanted.size());
    for (std::size_t i = 0; i < got.size(); ++i) CHECK(same(got[i].value, wanted[i].value));
  }
  set_thread_count(before);
}

TEST_CASE("QuantLinear: rows give the bits of the matrix, on any threads", "[linear]") {
  const QuantOptions options{.alpha = 2, .rank = 3, .group_size = 16, .seed = 4};
  check_rows_and_matrix<QuantLinear<Int<4>, Packed, LowRank<3>>>(options);
  check_rows_and_matrix<QuantLinear<Int<3>, FixedPoint, LowRank<dynamic>, LpSearch<2>>>(options);
  check_rows_and_matrix<QuantLinear<UInt<4>, PerGroup<dynamic>, Dense<bf16>, LowRank<2>>>(options);
  check_rows_and_matrix<QuantLinear<Int<4>, PerTensor, ScaleOnly, LpSearch<4>>>(options);
  check_rows_and_matrix<QuantLinear<UInt<2>, PerTensor, FixedPoint, LowRank<2>>>(options);
  check_rows_and_matrix<QuantLinear<Int<4>, FullRank, WeightDomain>>(options);
}

TEST_CASE("QuantLinear: rows on given scales are asked for once each", "[linear]") {
  using Layer = QuantLinear<Int<4>, Packed, LowRank<2>>;
  const Shape shape{9, 10};
  std::vector<int> asked(shape.rows, 0);
  const std::vector<QParams> qparams(shape.rows, {0.25f, 0.0f});
  const Layer layer(
      shape,
      [&](std::size_t row, std::span<float> values) {
        ++asked[row];
        Waves()(row, values);
      },
      qparams);
  CHECK(asked == std::vector<int>(shape.rows, 1));
  CHECK(levels_of(layer) == levels_of(Layer(matrix_of(shape).view(), qparams)));
}

TEST_CASE("QuantLinear: rows that are no numbers, or none, are refused", "[linear]") {
  using Layer = QuantLinear<Int<4>, Packed, LowRank<2>>;
  const auto rows = [](std::size_t row, std::span<float> values) {
    for (float& value : values) value = 1.0f;
    if (row >= 2) values[row] = std::nanf("");
  };
  CHECK_THROWS_WITH(Layer({5, 6}, rows), Contains("(2, 2) is not finite"));
  const std::vector<QParams> qparams(5, {1.0f, 0.0f});
  CHECK_THROWS_WITH(Layer({5, 6}, rows, qparams), Contains("(2, 2) is not finite"));
  CHECK_THROWS_WITH(Layer({4, 6}, rows, qparams), Contains("5 scales"));
  CHECK_THROWS_WITH(Layer({0, 6}, rows), Contains("(0, 6)"));
  CHECK_THROWS_WITH(Layer({4, 0}, rows, qparams), Contains("(4, 0)"));
  CHECK_THROWS_WITH((QuantLinear<Int<4>, PerTensor, ScaleOnly>({5, 6}, rows)),
                    Contains("(2, 2) is not finite"));
  const auto fails = [](std::size_t row, std::span<float>) { fail("row ", row, " is lost"); };
  CHECK_THROWS_WITH(Layer({5, 6}, fails), Contains("row 0 is lost"));
}

}  // namespace
}  // namespace lrqat::test
