// SPDX-License-Identifier: MIT
// tests/core/expects.test.cpp: an error's message is its parts, one after the other.
#include <lrqat/core/expects.hpp>

#include <catch2/catch.hpp>

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

TEST_CASE("expects: silent when it holds", "[core]") {
  CHECK_NOTHROW(lrqat::expects(true, "never ", 1));
}

TEST_CASE("expects: text and numbers are written in order", "[core]") {
  const std::string text = "rows";
  CHECK_THROWS_WITH(lrqat::expects(false, "x has ", std::size_t{3}, ' ', text, ", not ", -2),
                    "x has 3 rows, not -2");
  CHECK_THROWS_WITH(lrqat::fail("scale ", 0.1f, " of ", std::string_view("layer")),
                    "scale 0.100000001 of layer");
  CHECK_THROWS_WITH(lrqat::fail(1.5, ' ', 1e30, ' ', std::uint64_t{18446744073709551615u}),
                    "1.5 1e+30 18446744073709551615");
}

TEST_CASE("Error: is a runtime_error", "[core]") {
  CHECK_THROWS_AS(lrqat::fail("broken"), lrqat::Error);
  CHECK_THROWS_AS(lrqat::fail("broken"), std::runtime_error);
}
