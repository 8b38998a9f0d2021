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
