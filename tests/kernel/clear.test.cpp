// SPDX-License-Identifier: MIT
// kernel/clear.test.cpp: zeros inside the view, nothing outside.
#include <lrqat/kernel/clear.hpp>

#include <catch2/catch.hpp>

#include <vector>

TEST_CASE("clear: zeros just the view", "[kernel]") {
  for (const std::size_t cols : {0u, 1u, 15u, 16u, 17u, 40u}) {
    std::vector<float> values(3 * 40, 7.0f);
    lrqat::kernel::clear(lrqat::MatrixView<float>(values.data(), 3, cols, 40));
    for (std::size_t i = 0; i < values.size(); ++i)
      CHECK(values[i] == (i % 40 < cols ? 0.0f : 7.0f));
  }
}

TEMPLATE_TEST_CASE("assign_product: replaces what was there", "[kernel]", float, double) {
  const std::vector<TestType> a{1, 2, 3, 4, 5, 6}, b{1, -1, 2, 0, 3, 1};
  std::vector<TestType> c(4, 100);
  lrqat::kernel::assign_product<TestType>(
      lrqat::kernel::left(lrqat::MatrixView<const TestType>(a.data(), 2, 3)), {b.data(), 3, 2},
      {c.data(), 2, 2});
  CHECK(c == std::vector<TestType>{14, 2, 32, 2});
}
