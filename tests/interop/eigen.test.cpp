// SPDX-License-Identifier: MIT
// tests/interop/eigen.test.cpp: Eigen matrices go in and out of a layer without a copy.
#include <lrqat/interop/eigen.hpp>

#include <lrqat/lrqat.hpp>

#include <catch2/catch.hpp>
#include <support/matrix.hpp>

namespace lrqat::test {
namespace {

using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

RowMajor random_eigen(std::size_t rows, std::size_t cols, std::uint64_t seed) {
  const Matrix values = random_matrix(rows, cols, 0.5f, seed);
  return Eigen::Map<const RowMajor>(values.values.data(), static_cast<Eigen::Index>(rows),
                                    static_cast<Eigen::Index>(cols));
}

TEST_CASE("Eigen: a matrix is viewed in place", "[interop]") {
  RowMajor matrix = random_eigen(3, 5, 1);
  const auto view = interop::view(matrix);
  STATIC_REQUIRE(std::is_same_v<decltype(view), const MatrixView<float>>);
  CHECK(view.data == matrix.data());
  CHECK(view.shape() == Shape{3, 5});
  for (Eigen::Index i = 0; i < 3; ++i)
    for (Eigen::Index j = 0; j < 5; ++j)
      CHECK(view(static_cast<std::size_t>(i), static_cast<std::size_t>(j)) == matrix(i, j));
  view(2, 4) = 7.0f;
  CHECK(matrix(2, 4) == 7.0f);
  const RowMajor& fixed = matrix;
  STATIC_REQUIRE(std::is_same_v<decltype(interop::view(fixed)), MatrixView<const float>>);
}

TEST_CASE("Eigen: maps, blocks and fixed sizes", "[interop]") {
  const RowMajor matrix = random_eigen(6, 8, 1);
  const auto block = matrix.block(1, 2, 4, 5);
  const MatrixView<const float> view = interop::view(block);
  CHECK(view.shape() == Shape{4, 5});
  CHECK(view.stride == 8);
  for (std::size_t i = 0; i < 4; ++i)
    for (std::size_t j = 0; j < 5; ++j)
      CHECK(view(i, j) == block(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j)));

  const std::vector<float> values{1, 2, 3, 4, 5, 6};
  const Eigen::Map<const RowMajor> map(values.data(), 2, 3);
  CHECK(interop::view(map)(1, 2) == 6.0f);
  Eigen::Matrix<float, 2, 2, Eigen::RowMajor> small;
  small << 1, 2, 3, 4;
  CHECK(interop::view(small)(1, 0) == 3.0f);
}

TEST_CASE("Eigen: elements of a row that are apart are refused", "[interop]") {
  const std::vector<float> values(12);
  using Strided = Eigen::Map<const RowMajor, 0, Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>>;
  const Strided apart(values.data(), 2, 3, Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>(6, 2));
  CHECK_THROWS_WITH(interop::view(apart), Catch::Matchers::Contains("inner stride of 2"));
  const Strided wide(values.data(), 2, 3, Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>(6, 1));
  CHECK(interop::view(wide).stride == 6);
}

TEST_CASE("Eigen: a layer is built from and runs on Eigen matrices", "[interop]") {
  const RowMajor weight = random_eigen(4, 6, 1), x = random_eigen(3, 6, 2);
  const QuantLinear<Int<4>, LowRank<2>> layer{interop::view(weight)};
  RowMajor y(3, 4);
  layer.forward(interop::view(x), interop::view(y));
  const Matrix w_hat = weight_of(layer);
  const Eigen::Map<const RowMajor> dense(w_hat.values.data(), 4, 6);
  const RowMajor expected = x * dense.transpose();
  // Sums of 6 terms in two orders.
  CHECK((y - expected).cwiseAbs().maxCoeff() <=
        2 * 6 * 0x1p-24f * (x.cwiseAbs() * dense.cwiseAbs().transpose()).maxCoeff());
}

}  // namespace
}  // namespace lrqat::test
