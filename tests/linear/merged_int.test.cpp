// SPDX-License-Identifier: MIT
// tests/linear/merged_int.test.cpp: layers on signed grids merge exactly.
#include <lrqat/linear/merged_linear.hpp>

#include <linear/merge_check.hpp>

namespace lrqat::test::merged_int_cases {
namespace {

TEMPLATE_TEST_CASE_SIG("Merge: exact on signed grids", "[linear]", ((int Bits), Bits), 2, 3, 4, 8) {
  check_merges<Int<Bits>>();
}

TEMPLATE_TEST_CASE_SIG("Merge: exact on signed grids of odd widths", "[linear]", ((int Bits), Bits),
                       5, 6, 7) {
  check_grouped_merge<Int<Bits>, LowRank<dynamic>, Packed>();
}

}  // namespace
}  // namespace lrqat::test::merged_int_cases
