// SPDX-License-Identifier: MIT
// tests/lab/table_layout.test.cpp: columns, line breaks and numbers of a printed table.
#include "lab/table_layout.hpp"

#include <catch2/catch.hpp>

#include <vector>

using namespace lrqat::lab;

TEST_CASE("Table layout: columns are as wide as their widest cell", "[lab]") {
  CHECK(markdown_table({{"scheme", "ppl"}, {"fp32", "3.807"}, {"w4", "4"}}, 1) ==
        "| scheme |   ppl |\n"
        "|--------|------:|\n"
        "| fp32   | 3.807 |\n"
        "| w4     |     4 |\n");
  CHECK(markdown_table({}, 1).empty());
}

TEST_CASE("Table layout: text is broken at spaces, long words anywhere", "[lab]") {
  CHECK(wrapped("one two three", 7) == std::vector<std::string>{"one two", "three"});
  CHECK(wrapped("abcdefgh ij", 3) == std::vector<std::string>{"abc", "def", "gh", "ij"});
  CHECK(wrapped("a\n\nb", 5) == std::vector<std::string>{"a", "", "b"});
  CHECK(wrapped("", 5).empty());
}

TEST_CASE("Table layout: numbers", "[lab]") {
  CHECK(mean_text(std::vector<double>{4.0061}) == "4.006");
  CHECK(mean_text(std::vector<double>{4.0, 4.1}) == "4.050 +- 0.071");
  CHECK(mean_text(std::vector<double>{7006.134}) == "7006");
  CHECK(mean_text(std::vector<double>{135.998}) == "136.0");
  CHECK(mean_text(std::vector<double>{}) == "-");
  CHECK(grouped_digits(0) == "0");
  CHECK(grouped_digits(999) == "999");
  CHECK(grouped_digits(49240) == "49,240");
  CHECK(grouped_digits(1000000) == "1,000,000");
}
