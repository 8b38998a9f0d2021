// SPDX-License-Identifier: MIT
// tests/golden/lrqat_linear_b4.test.cpp: golden LR-QAT layers of 4 bits.
#include <golden/linear_case.hpp>

TEST_CASE("Golden: LR-QAT layers of 4 bits", "[golden]") { lrqat::test::check_lrqat_cases<4>(); }
