// SPDX-License-Identifier: MIT
// tests/interop/xtensor.test.cpp: xtensor containers go in and out of a layer without a copy.
#include <lrqat/interop/xtensor.hpp>

#include <lrqat/lrqat.hpp>

#include <catch2/catch.hpp>
#include <support/matrix.hpp>
#include <xtensor/xadapt.hpp>
#include <xtensor/xarray.hpp>
#include <xtensor/xtensor.hpp>

namespace lrqat::test {
namespace {

using Catch::Matchers::Contains;

TEST_CASE("xtensor: arrays and tensors are viewed in place", "[interop]") {
  xt::xarray<float> array{{1, 2, 3}, {4, 5, 6}};
  const auto view = interop::view(array);
  STATIC_REQUIRE(std::is_same_v<decltype(view), const MatrixView<float>>);
  CHECK(view.data == array.data());
  CHECK(view.shape() == Shape{2, 3});
  CHECK(view(1, 0) == 4.0f);
  view(0, 2) = 9.0f;
  CHECK(array(0, 2) == 9.0f);
  const xt::xtensor<float, 2> fixed{{1, 2}, {3, 4}, {5, 6}};
  STATIC_REQUIRE(std::is_same_v<decltype(interop::view(fixed)), MatrixView<const float>>);
  CHECK(interop::view(fixed)(2, 1) == 6.0f);
}

TEST_CASE("xtensor: dimensions of length 1", "[interop]") {
  const xt::xtensor<float, 2> row{{1, 2, 3}}, column{{1}, {2}, {3}}, one{{7}};
  CHECK(interop::view(row).shape() == Shape{1, 3});
  CHECK(interop::view(row)(0, 2) == 3.0f);
  CHECK(interop::view(column).shape() == Shape{3, 1});
  CHECK(interop::view(column)(2, 0) == 3.0f);
  CHECK(interop::view(one)(0, 0) == 7.0f);
}

TEST_CASE("xtensor: adaptors", "[interop]") {
  std::vector<float> values{1, 2, 3, 4, 5, 6};
  auto adapted = xt::adapt(values, std::vector<std::size_t>{3, 2});
  CHECK(interop::view(adapted).data == values.data());
  CHECK(interop::view(adapted)(2, 1) == 6.0f);
}

TEST_CASE("xtensor: other dimensions and column-major arrays are refused", "[interop]") {
  const xt::xarray<float> vector{1, 2, 3};
  CHECK_THROWS_WITH(interop::view(vector), Contains("1 dimensions"));
  const xt::xarray<float, xt::layout_type::column_major> columns{{1, 2, 3}, {4, 5, 6}};
  CHECK_THROWS_WITH(interop::view(columns), Contains("column stride of 2"));
}

TEST_CASE("xtensor: a layer is built from and runs on xtensor arrays", "[interop]") {
  const Matrix weight = random_matrix(4, 6, 0.5f, 1), x = random_matrix(3, 6, 1.0f, 2);
  const auto weight_array = xt::adapt(weight.values, std::vector<std::size_t>{4, 6});
  const auto x_array = xt::adapt(x.values, std::vector<std::size_t>{3, 6});
  xt::xtensor<float, 2> y = xt::zeros<float>({3, 4});
  const QuantLinear<Int<4>, LowRank<2>> layer{interop::view(weight_array)};
  layer.forward(interop::view(x_array), interop::view(y));
  Matrix expected(3, 4);
  QuantLinear<Int<4>, LowRank<2>>(weight.view()).forward(x.view(), expected.view());
  CHECK(std::equal(y.begin(), y.end(), expected.values.begin()));
}

}  // namespace
}  // namespace lrqat::test
