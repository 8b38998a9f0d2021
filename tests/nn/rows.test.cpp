// SPDX-License-Identifier: MIT
// nn/rows.test.cpp: every row once, and buffers that only grow.
#include <lrqat/nn/rows.hpp>

#include <catch2/catch.hpp>

#include <vector>

TEST_CASE("for_rows: each row once, cut at multiples of rows_per_task", "[nn]") {
  for (const std::size_t rows : {0u, 1u, 63u, 64u, 65u, 200u}) {
    std::vector<int> seen(rows);
    lrqat::for_rows(rows, [&](std::size_t first, std::size_t last) {
      for (std::size_t row = first; row < last; ++row)
        seen[row] += first % lrqat::rows_per_task == 0 ? 1 : 100;
    });
    CHECK(seen == std::vector<int>(rows, 1));
  }
}

TEST_CASE("add_to: adds, and refuses other shapes", "[nn]") {
  std::vector<float> a(70 * 3, 1.0f), b(70 * 3, 2.0f);
  lrqat::add_to<float>(lrqat::MatrixView<float>(a.data(), 70, 3), {b.data(), 70, 3});
  CHECK(b == std::vector<float>(210, 3.0f));
  CHECK_THROWS_WITH(
      lrqat::add_to<float>(lrqat::MatrixView<float>(a.data(), 3, 70), {b.data(), 70, 3}),
      Catch::Contains("(3, 70) added to (70, 3)"));
}

TEST_CASE("copy_to: copies, and refuses other shapes", "[nn]") {
  std::vector<float> a(70 * 3), b(70 * 4, -7.0f);
  for (std::size_t i = 0; i < a.size(); ++i) a[i] = static_cast<float>(i);
  const lrqat::MatrixView<float> target(b.data(), 70, 3, 4);
  lrqat::copy_to<float>(lrqat::MatrixView<float>(a.data(), 70, 3), target);
  for (std::size_t i = 0; i < b.size(); ++i)
    CHECK(b[i] == (i % 4 < 3 ? static_cast<float>(i / 4 * 3 + i % 4) : -7.0f));
  CHECK_THROWS_WITH(lrqat::copy_to<float>(lrqat::MatrixView<float>(a.data(), 3, 70), target),
                    Catch::Contains("(3, 70) copied to (70, 3)"));
}

TEST_CASE("Buffer: keeps its memory when less is asked for", "[nn]") {
  lrqat::Buffer<float> buffer;
  CHECK(buffer.bytes() == 0);
  const float* const data = buffer.shaped(10, 7).data;
  const auto smaller = buffer.shaped(3, 5);
  CHECK(smaller.data == data);
  CHECK(smaller.stride == 5);
  CHECK(buffer.bytes() == 70 * sizeof(float));
}
