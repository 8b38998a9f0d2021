// SPDX-License-Identifier: MIT
// tests/kernel/hadamard_transform.test.cpp: rows of any length against H written out.
#include <lrqat/kernel/hadamard_transform.hpp>

#include <catch2/catch.hpp>
#include <support/machine.hpp>
#include <support/matrix.hpp>

#include <vector>

namespace lrqat::test {
namespace {

TEST_CASE("hadamard_transform: multiplies each block by H, on every instruction set", "[kernel]") {
  const MachineSettings restored;
  for (const std::size_t in : {1u, 7u, 12u, 20u, 36u, 172u, 192u, 288u, 640u})
    for (const std::size_t copies : {1u, 3u}) {
      const kernel::HadamardOrder order = kernel::hadamard_order(in);
      const std::size_t n = order.size(), cols = copies * in, rows = 2, stride = cols + 5;
      std::vector<float> x(rows * stride);
      const CounterRng random(in, copies);
      for (std::size_t i = 0; i < x.size(); ++i)
        x[i] = static_cast<float>(random.below(201, i)) - 100.0f;
      std::vector<float> expected = x;  // integers of up to 100 * 640: every sum is exact
      for (std::size_t row = 0; row < rows; ++row)
        for (std::size_t j = 0; j < cols; ++j) {
          int sum = 0;
          for (std::size_t i = 0; i < n; ++i)
            sum += static_cast<int>(x[row * stride + j / n * n + i]) *
                   kernel::hadamard_entry(order, i, j % n);
          expected[row * stride + j] = static_cast<float>(sum);
        }
      for (const kernel::Isa isa : isas_of_machine()) {
        kernel::set_active_isa(isa);
        INFO(copies << " times " << in << ", " << kernel::name(isa));
        std::vector<float> got = x;
        kernel::hadamard_transform(MatrixView<float>(got.data(), rows, cols, stride), order);
        CHECK(got == expected);
      }
    }
  std::vector<float> x(18);
  CHECK_THROWS_WITH(kernel::hadamard_transform(MatrixView<float>(x.data(), 1, 18), {12, 1}),
                    Catch::Matchers::Contains("an order of 12 for rows of 18"));
}

}  // namespace
}  // namespace lrqat::test
