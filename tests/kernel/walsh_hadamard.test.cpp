// SPDX-License-Identifier: MIT
// tests/kernel/walsh_hadamard.test.cpp: the fast transform against H written out.
#include <lrqat/kernel/walsh_hadamard.hpp>

#include <catch2/catch.hpp>
#include <support/machine.hpp>
#include <support/matrix.hpp>

#include <bit>
#include <initializer_list>
#include <limits>
#include <vector>

namespace lrqat::test {
namespace {

constexpr std::size_t blocks[] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 2048};

int entry(std::size_t i, std::size_t j) { return std::popcount(i & j) % 2 == 0 ? 1 : -1; }

template <class T>
void check_integers(std::size_t rows, std::size_t block, std::size_t copies, std::size_t extra) {
  INFO("rows " << rows << " block " << block << " copies " << copies << " extra " << extra);
  const std::size_t cols = block * copies, stride = cols + extra, offset = 3;
  std::vector<T> x(offset + rows * stride + 8);
  const CounterRng random(block, copies);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<T>(random.below(201, i)) - 100;
  std::vector<T> expected = x;  // integers of up to 100 * 2048: every sum is exact
  for (std::size_t row = 0; row < rows; ++row)
    for (std::size_t first = 0; first < cols; first += block) {
      const std::size_t at = offset + row * stride + first;
      for (std::size_t j = 0; j < block; ++j) {
        expected[at + j] = 0;
        for (std::size_t i = 0; i < block; ++i)
          expected[at + j] += x[at + i] * static_cast<T>(entry(i, j));
      }
    }
  kernel::walsh_hadamard(MatrixView<T>(x.data() + offset, rows, cols, stride), block);
  REQUIRE(x == expected);
}

}  // namespace

TEST_CASE(
    "walsh_hadamard: multiplies each block by H and touches nothing else, on every "
    "instruction set",
    "[kernel]") {
  const MachineSettings restored;
  for (const kernel::Isa isa : isas_of_machine()) {
    kernel::set_active_isa(isa);
    for (const std::size_t block : blocks) {
      check_integers<float>(1, block, 1, 0);
      check_integers<double>(2, block, 1, 3);
      if (block <= 256) check_integers<float>(3, block, 5, 7);
    }
  }
}

TEST_CASE("walsh_hadamard: reals have the same bits on every instruction set", "[kernel]") {
  const MachineSettings restored;
  for (const std::size_t block : blocks) {
    Matrix x = random_matrix(3, 2 * block, 1.0f, block);
    x(1, 0) = std::numeric_limits<float>::infinity();
    x(2, block) = 3e38f;
    Matrix expected = x;
    // Radix 2, neighbours first.
    for (std::size_t first = 0; first < expected.values.size(); first += block)
      for (std::size_t half = 1; half < block; half *= 2)
        for (std::size_t i = 0; i < block; ++i) {
          if ((i & half) != 0) continue;
          float& low = expected.values[first + i];
          float& high = expected.values[first + i + half];
          const float sum = low + high, difference = low - high;
          low = sum, high = difference;
        }
    for (const kernel::Isa isa : isas_of_machine()) {
      kernel::set_active_isa(isa);
      Matrix got = x;
      kernel::walsh_hadamard(got.view(), block);
      INFO(kernel::name(isa) << ", blocks of " << block);
      for (std::size_t row = 0; row < got.rows; ++row)
        for (std::size_t j = 0; j < got.cols; ++j) {
          const float is = got(row, j), should = expected(row, j);
          if (is != is && should != should) continue;  // inf - inf: the sign of a NaN is open
          REQUIRE(std::bit_cast<std::uint32_t>(is) == std::bit_cast<std::uint32_t>(should));
        }
    }
  }
}

TEST_CASE("walsh_hadamard: twice is the block's length times the identity", "[kernel]") {
  for (const std::size_t block : blocks) {
    Matrix unit(block, block);
    for (std::size_t i = 0; i < block && i < 64; ++i) unit(i, (i * 37) % block) = 1.0f;
    Matrix twice = unit;
    kernel::walsh_hadamard(twice.view(), block);
    kernel::walsh_hadamard(twice.view(), block);
    for (float& value : unit.values) value *= static_cast<float>(block);
    CHECK(twice.values == unit.values);
  }
}

TEST_CASE("walsh_hadamard_block: the longest power of two that divides, within a limit",
          "[kernel]") {
  static_assert(kernel::walsh_hadamard_block(172, 128) == 4);
  static_assert(kernel::walsh_hadamard_block(4096, 128) == 128);
  static_assert(kernel::walsh_hadamard_block(768, 4096) == 256);
  static_assert(kernel::walsh_hadamard_block(768, 200) == 128);
  static_assert(kernel::walsh_hadamard_block(7, 128) == 1);
  static_assert(kernel::walsh_hadamard_block(1, 1) == 1);
  static_assert(kernel::walsh_hadamard_block(64, 1) == 1);
}

TEST_CASE("walsh_hadamard: blocks that are no power of two or do not divide are errors",
          "[kernel]") {
  Matrix x(2, 12);
  for (const std::size_t block : std::initializer_list<std::size_t>{0, 3, 6, 12, 8, 16})
    CHECK_THROWS_WITH(kernel::walsh_hadamard(x.view(), block),
                      Catch::Matchers::Contains("rows of 12"));
  kernel::walsh_hadamard(MatrixView<float>(nullptr, 0, 0), 4);  // nothing to do
}

}  // namespace lrqat::test
