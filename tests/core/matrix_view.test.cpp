// SPDX-License-Identifier: MIT
// tests/core/matrix_view.test.cpp: elements, rows and blocks of a strided matrix.
#include <lrqat/core/matrix_view.hpp>

#include <catch2/catch.hpp>

#include <type_traits>
#include <vector>

namespace {

using lrqat::MatrixView;
using lrqat::Shape;
using lrqat::Tile;

constexpr int elements[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};

constexpr bool addresses_are_row_major() {
  const MatrixView<const int> matrix(elements, 3, 3, 4);
  const MatrixView<const int> block = matrix.block(1, 1, 2, 2);
  return matrix(0, 0) == 0 && matrix(1, 2) == 6 && matrix(2, 0) == 8 && block(0, 0) == 5 &&
         block(1, 1) == 10 && block.stride == 4 && block.shape() == Shape{2, 2} &&
         matrix.block(Tile{2, 0, 1, 3})(0, 2) == 10 && matrix.row(1).size() == 3 &&
         matrix.row(1)[2] == 6;
}
static_assert(addresses_are_row_major());

static_assert(std::is_convertible_v<MatrixView<float>, MatrixView<const float>>);
static_assert(!std::is_convertible_v<MatrixView<const float>, MatrixView<float>>);
static_assert(!std::is_convertible_v<MatrixView<float>, MatrixView<const double>>);

}  // namespace

TEST_CASE("MatrixView: elements are addressed row by row", "[core]") {
  CHECK(addresses_are_row_major());
}

TEST_CASE("MatrixView: without a stride the rows are adjacent", "[core]") {
  const MatrixView<const int> matrix(elements, 3, 4);
  CHECK(matrix.stride == 4);
  CHECK(matrix.shape().size() == 12);
}

TEST_CASE("MatrixView: writes go through to the owner", "[core]") {
  std::vector<float> owner(6);
  const MatrixView<float> matrix(owner.data(), 2, 3);
  matrix(1, 2) = 5.0f;
  matrix.block(0, 1, 2, 1)(1, 0) = 4.0f;
  CHECK(owner == std::vector<float>{0, 0, 0, 0, 4, 5});
  const MatrixView<const float> read = matrix;
  CHECK(read(1, 2) == 5.0f);
}

TEST_CASE("MatrixView: empty by default", "[core]") {
  const MatrixView<float> nothing;
  CHECK(nothing.data == nullptr);
  CHECK(nothing.shape() == Shape{});
}
