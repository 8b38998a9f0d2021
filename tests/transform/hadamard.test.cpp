// SPDX-License-Identifier: MIT
// tests/transform/hadamard.test.cpp: a rotation of the inputs that is its own inverse and adjoint.
#include <lrqat/transform/hadamard.hpp>

#include <lrqat/transform/identity.hpp>

#include <catch2/catch.hpp>
#include <support/matrix.hpp>

#include <bit>
#include <cmath>

namespace lrqat::test {
namespace {

template <std::size_t Block>
std::vector<float> rotated(std::vector<float> values) {
  Hadamard<Block>::apply(values);
  return values;
}

double dot(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return sum;
}

/// What the roundings of one transform of blocks of `block` can do to an element, for values of
/// norm 1: log2(block) additions and a product on values of at most sqrt(block) / sqrt(block).
double bound(std::size_t block) { return (std::log2(static_cast<double>(block)) + 2) * 0x1p-23; }

TEMPLATE_TEST_CASE_SIG("Hadamard: H^T H is the identity", "[transform]",
                       ((std::size_t Block), Block), 1, 2, 32, 128) {
  for (const std::size_t in : {1u, 2u, 96u, 97u, 128u, 172u, 384u}) {
    const std::vector<float> x = random_matrix(1, in, 1.0f, in).values;
    const std::size_t block = kernel::walsh_hadamard_block(in, Block);
    const std::vector<float> once = rotated<Block>(x), twice = rotated<Block>(once);
    const double norm = std::sqrt(dot(x, x));
    for (std::size_t i = 0; i < in; ++i)
      CHECK(std::fabs(static_cast<double>(twice[i] - x[i])) <= 2 * bound(block) * norm);
    CHECK(std::fabs(dot(once, once) - dot(x, x)) <=
          2 * bound(block) * std::sqrt(static_cast<double>(in)) * dot(x, x));
    if (block == 1) CHECK(once == x);
    if (block > 1) CHECK(once != x);
  }
}

TEST_CASE("Hadamard: the adjoint and the map of weights are the transform itself", "[transform]") {
  const std::vector<float> x = random_matrix(1, 96, 1.0f, 1).values;
  std::vector<float> adjoint = x, weight = x;
  Hadamard<>::apply_adjoint(adjoint);
  Hadamard<>::apply_to_weight(weight);
  const std::vector<float> y = random_matrix(1, 96, 1.0f, 2).values;
  // <H x, y> = <x, H^T y>, and x w = (H x)(w H^-1).
  std::vector<float> back = y;
  Hadamard<>::apply_adjoint(back);
  const double scale = std::sqrt(dot(x, x) * dot(y, y)) * std::sqrt(96.0) * 2 * bound(32);
  CHECK(std::fabs(dot(rotated<128>(x), y) - dot(x, back)) <= scale);
  std::vector<float> row = y;
  Hadamard<>::apply_to_weight(row);
  CHECK(std::fabs(dot(rotated<128>(x), row) - dot(x, y)) <= scale);
}

TEST_CASE("Hadamard: the rows of Sylvester's matrix, block by block", "[transform]") {
  for (std::size_t j = 0; j < 24; ++j) {
    std::vector<float> unit(24, 0.0f);
    unit[j] = 1.0f;
    const std::vector<float> column = rotated<16>(unit);  // blocks of 8
    for (std::size_t i = 0; i < 24; ++i) {
      const float sign = std::popcount(i % 8 & j % 8) % 2 == 0 ? 1.0f : -1.0f;
      CHECK(column[i] == (i / 8 == j / 8 ? sign / std::sqrt(8.0f) : 0.0f));
    }
  }
}

TEST_CASE("Hadamard: an outlier is spread over its block", "[transform]") {
  std::vector<float> x(256, 0.0f);
  x[5] = 128.0f;
  const std::vector<float> spread = rotated<128>(x);
  for (std::size_t i = 0; i < 256; ++i)
    CHECK(std::fabs(spread[i]) == (i < 128 ? 128.0f * (1.0f / std::sqrt(128.0f)) : 0.0f));
}

TEST_CASE("Hadamard: NaN stays in its block", "[transform]") {
  std::vector<float> x(64, 1.0f);
  x[3] = std::nanf("");
  const std::vector<float> y = rotated<32>(x);
  for (std::size_t i = 0; i < 64; ++i) CHECK(std::isnan(y[i]) == (i < 32));
}

TEST_CASE("Identity: says that it changes nothing", "[transform]") {
  STATIC_REQUIRE_FALSE(Identity::changes_basis);
  STATIC_REQUIRE(Hadamard<1>::changes_basis);
}

}  // namespace
}  // namespace lrqat::test
