// SPDX-License-Identifier: MIT
// tests/storage/dense.test.cpp: the base as floats.
#include <lrqat/storage/dense.hpp>

#include <lrqat/grid/int.hpp>

#include <catch2/catch.hpp>
#include <vector>

namespace lrqat {
namespace {

template <class T>
std::vector<float> round_trip(const std::vector<float>& values, std::size_t first) {
  using Bound = typename Dense<T>::template bound_to<Int<4>>;
  // An odd start: nothing may ask for more alignment than a byte's.
  std::vector<std::byte> bytes(1 + Bound::bytes_per_row(first + values.size()));
  std::vector<float> read(values.size());
  Bound::encode(values, 0.0f, bytes.data() + 1, first);
  Bound::decode(bytes.data() + 1, first, 0.0f, read);
  return read;
}

TEST_CASE("Dense<float>: keeps the base as it is, outside the grid too", "[storage]") {
  const std::vector<float> values{0.1f, -1e30f, 3.0e-39f, 1234567.0f, -0.25f};
  CHECK(round_trip<float>(values, 0) == values);
  CHECK(round_trip<float>(values, 3) == values);
  CHECK(Dense<float>::bound_to<Int<4>>::bytes_per_row(5) == 20);
}

TEST_CASE("Dense<bf16>: rounds to nearest even and does not clip", "[storage]") {
  // 1 + 2^-8 and 1 + 3 * 2^-8 lie halfway between neighbours.
  CHECK(round_trip<bf16>({1.00390625f, 1.01171875f, 100.0f, -9.0f}, 1) ==
        std::vector<float>{1.0f, 1.015625f, 100.0f, -9.0f});
  CHECK(Dense<bf16>::bound_to<Int<4>>::bytes_per_row(5) == 10);
}

}  // namespace
}  // namespace lrqat
