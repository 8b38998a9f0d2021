// SPDX-License-Identifier: MIT
// tests/linear/merged_uint.test.cpp: layers on grids with a zero point merge exactly.
#include <lrqat/linear/merged_linear.hpp>

#include <linear/merge_check.hpp>

namespace lrqat::test::merged_uint_cases {
namespace {

TEMPLATE_TEST_CASE_SIG("Merge: exact on grids with a zero point", "[linear]", ((int Bits), Bits), 2,
                       3, 4, 8) {
  check_merges<UInt<Bits>>();
}

TEMPLATE_TEST_CASE_SIG("Merge: exact on grids with a zero point of odd widths", "[linear]",
                       ((int Bits), Bits), 5, 6, 7) {
  check_grouped_merge<UInt<Bits>, LowRank<dynamic>, Packed>();
}

}  // namespace
}  // namespace lrqat::test::merged_uint_cases
