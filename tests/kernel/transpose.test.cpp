// SPDX-License-Identifier: MIT
// tests/kernel/transpose.test.cpp: every element in its place, nothing else touched.
#include <lrqat/kernel/transpose.hpp>
#include <lrqat/kernel/transpose/words.hpp>

#include <catch2/catch.hpp>

#include <cstdint>
#include <initializer_list>
#include <vector>

namespace {

using lrqat::MatrixView;

template <class T>
void check(std::size_t rows, std::size_t cols, std::size_t extra) {
  INFO("rows " << rows << " cols " << cols << " extra " << extra);
  constexpr std::size_t offset = 3;
  const std::size_t source_stride = cols + extra, target_stride = rows + 2 * extra;
  std::vector<T> from(offset + rows * source_stride + 8), to(offset + cols * target_stride + 8);
  for (std::size_t i = 0; i < from.size(); ++i) from[i] = static_cast<T>(i);
  for (std::size_t i = 0; i < to.size(); ++i) to[i] = -static_cast<T>(i) - 1;
  std::vector<T> expected = to;
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t j = 0; j < cols; ++j)
      expected[offset + j * target_stride + i] = from[offset + i * source_stride + j];
  lrqat::kernel::transpose(MatrixView<const T>(from.data() + offset, rows, cols, source_stride),
                           MatrixView<T>(to.data() + offset, cols, rows, target_stride));
  REQUIRE(to == expected);
}

}  // namespace

TEST_CASE("transpose: moves every element and no other, on every instruction set", "[kernel]") {
  const lrqat::kernel::Isa before = lrqat::kernel::active_isa();
  const std::initializer_list<std::size_t> sizes{0, 1, 7, 15, 16, 17, 31, 32, 33, 67};
  for (const lrqat::kernel::Isa isa : lrqat::kernel::all_isas) {
    if (!lrqat::kernel::machine_has(isa)) continue;
    lrqat::kernel::set_active_isa(isa);
    for (const std::size_t rows : sizes)
      for (const std::size_t cols : sizes)
        for (const std::size_t extra : {std::size_t{0}, std::size_t{5}}) {
          check<float>(rows, cols, extra);
          check<double>(rows, cols, extra);
        }
  }
  lrqat::kernel::set_active_isa(before);
}

TEST_CASE("transpose: shapes that do not fit are an error", "[kernel]") {
  std::vector<float> from(12), to(12);
  CHECK_THROWS_WITH(lrqat::kernel::transpose(MatrixView<const float>(from.data(), 3, 4),
                                             MatrixView<float>(to.data(), 3, 4)),
                    "transpose: source is (3, 4), target is (3, 4)");
}

TEST_CASE("transpose_four_words: the bytes asked for of every word, and no other word",
          "[kernel]") {
  constexpr std::size_t from_stride = 5, to_stride = 7, offset = 1;
  const std::uint32_t ones[4] = {0x01010101u, 0x00010100u, 0u, 0x01000001u};
  const std::uint32_t bytes[4] = {0xFFFFFFFFu, 0x00FFFF00u, 0u, 0xFF0000FFu};
  std::vector<std::uint32_t> from(offset + 4 * from_stride), to(offset + 4 * to_stride, 0xABCDu);
  for (std::size_t i = 0; i < from.size(); ++i)
    from[i] = 0x9E3779B9u * static_cast<std::uint32_t>(i + 1);
  std::vector<std::uint32_t> expected = to;
  for (std::size_t i = 0; i < 4; ++i)
    for (std::size_t j = 0; j < 4; ++j)
      expected[offset + j * to_stride + i] = from[offset + i * from_stride + j] & bytes[j];
  lrqat::kernel::transpose_four_words(from.data() + offset, from_stride, to.data() + offset,
                                      to_stride, ones);
  CHECK(to == expected);
}
