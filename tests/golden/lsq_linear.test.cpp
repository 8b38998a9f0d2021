// SPDX-License-Identifier: MIT
// tests/golden/lsq_linear.test.cpp: golden layers of full quantization-aware training.
#include <golden/linear_case.hpp>

namespace lrqat::test {

TEST_CASE("Golden: full QAT layers", "[golden]") {
  for_each_golden("lsq_linear", [](const GoldenCase& golden) {
    switch (golden.integer("bits")) {
      case 2:
        return check_lsq_linear<2>(golden);
      case 3:
        return check_lsq_linear<3>(golden);
      case 4:
        return check_lsq_linear<4>(golden);
      case 5:
        return check_lsq_linear<5>(golden);
      case 6:
        return check_lsq_linear<6>(golden);
      case 7:
        return check_lsq_linear<7>(golden);
      case 8:
        return check_lsq_linear<8>(golden);
    }
    fail(golden.file(), ": ", golden.integer("bits"), " bits");
  });
}

TEST_CASE("Golden: the LSQ estimator's factor", "[golden]") {
  for_each_golden("lsq_linear", [](const GoldenCase& golden) {
    const std::size_t block = golden.size("block");
    const std::size_t group = block == 0 ? golden.size("in") : block;
    const double factor = golden.number("lsq_grad_factor");
    // Product, square root and quotient round once each, the reference has 9 digits.
    CHECK(std::fabs(static_cast<double>(
                        Lsq::scale_factor(group, static_cast<float>(golden.integer("qmax")))) -
                    factor) <= factor * 0x1p-22);
  });
}

}  // namespace lrqat::test
