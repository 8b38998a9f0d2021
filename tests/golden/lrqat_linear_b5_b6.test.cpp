// SPDX-License-Identifier: MIT
// tests/golden/lrqat_linear_b5_b6.test.cpp: golden LR-QAT layers of 5 and 6 bits.
#include <golden/linear_case.hpp>

TEST_CASE("Golden: LR-QAT layers of 5 bits", "[golden]") { lrqat::test::check_lrqat_cases<5>(); }

TEST_CASE("Golden: LR-QAT layers of 6 bits", "[golden]") { lrqat::test::check_lrqat_cases<6>(); }
