// SPDX-License-Identifier: MIT
// tests/core/aligned.test.cpp: vectors start on a cache line, whatever happens to them.
#include <lrqat/core/aligned.hpp>

#include <catch2/catch.hpp>

#include <cstdint>
#include <limits>
#include <stdexcept>
#include <utility>

namespace {

template <class T>
bool on_cache_line(const lrqat::AlignedVector<T>& values) {
  return reinterpret_cast<std::uintptr_t>(values.data()) % 64 == 0;
}

}  // namespace

TEST_CASE("AlignedVector: starts on a cache line", "[core]") {
  for (const std::size_t count : {1u, 3u, 17u, 1000u}) {
    CHECK(on_cache_line(lrqat::AlignedVector<char>(count)));
    CHECK(on_cache_line(lrqat::AlignedVector<float>(count)));
    CHECK(on_cache_line(lrqat::AlignedVector<double>(count)));
  }
}

TEST_CASE("AlignedVector: grows, copies and moves as a vector", "[core]") {
  lrqat::AlignedVector<int> values;
  for (int i = 0; i < 100; ++i) {
    values.push_back(i);
    REQUIRE(on_cache_line(values));
  }
  const lrqat::AlignedVector<int> copy = values;
  const lrqat::AlignedVector<int> moved = std::move(values);
  CHECK(on_cache_line(copy));
  CHECK(copy == moved);
  CHECK(moved[99] == 99);
}

TEST_CASE("AlignedVector: an impossible size is an exception", "[core]") {
  lrqat::AlignedVector<double> values;
  CHECK_THROWS_AS(values.resize(std::numeric_limits<std::size_t>::max() / 4), std::length_error);
}
