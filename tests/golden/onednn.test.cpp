// SPDX-License-Identifier: MIT
// tests/golden/onednn.test.cpp: the golden layers of 4 bits on oneDNN's products.
#include <lrqat/backend/onednn.hpp>

#include <golden/linear_case.hpp>

namespace lrqat::test {

TEST_CASE("Golden: LR-QAT layers of 4 bits on OneDnn", "[golden]") {
  check_lrqat_cases<4, OneDnn>();
}

TEST_CASE("Golden: full QAT layers of 4 bits on OneDnn", "[golden]") {
  for_each_golden("lsq_linear", [](const GoldenCase& golden) {
    if (golden.integer("bits") == 4) check_lsq_linear<4, OneDnn>(golden);
  });
}

}  // namespace lrqat::test
