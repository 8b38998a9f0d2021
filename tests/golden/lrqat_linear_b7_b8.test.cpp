// SPDX-License-Identifier: MIT
// tests/golden/lrqat_linear_b7_b8.test.cpp: golden LR-QAT layers of 7 and 8 bits.
#include <golden/linear_case.hpp>

TEST_CASE("Golden: LR-QAT layers of 7 bits", "[golden]") { lrqat::test::check_lrqat_cases<7>(); }

TEST_CASE("Golden: LR-QAT layers of 8 bits", "[golden]") { lrqat::test::check_lrqat_cases<8>(); }
