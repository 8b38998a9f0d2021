// SPDX-License-Identifier: MIT
// tests/golden/lrqat_linear_b2_b3.test.cpp: golden LR-QAT layers of 2 and 3 bits.
#include <golden/linear_case.hpp>

TEST_CASE("Golden: LR-QAT layers of 2 bits", "[golden]") { lrqat::test::check_lrqat_cases<2>(); }

TEST_CASE("Golden: LR-QAT layers of 3 bits", "[golden]") { lrqat::test::check_lrqat_cases<3>(); }
