// SPDX-License-Identifier: MIT
// tests/kernel/hadamard_order.test.cpp: H H^T = n I for every order, and which length gets which.
#include <lrqat/kernel/hadamard_order.hpp>

#include <catch2/catch.hpp>

#include <vector>

namespace lrqat::kernel {
namespace {

bool is_hadamard(HadamardOrder order) {
  const std::size_t n = order.size();
  std::vector<int> h(n * n);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < n; ++j) {
      h[i * n + j] = hadamard_entry(order, i, j);
      if (h[i * n + j] != 1 && h[i * n + j] != -1) return false;
    }
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t k = 0; k <= i; ++k) {
      int sum = 0;
      for (std::size_t j = 0; j < n; ++j) sum += h[i * n + j] * h[k * n + j];
      if (sum != (i == k ? static_cast<int>(n) : 0)) return false;
    }
  return true;
}

TEST_CASE("hadamard_order: rows of every order are orthogonal", "[kernel]") {
  for (std::size_t in = 1; in <= largest_paley; ++in) {
    const HadamardOrder order = hadamard_order(in);
    INFO(in << " = " << in / order.size() << " x " << order.paley << " x " << order.sylvester);
    CHECK(in % order.size() == 0);
    if (order.size() == in) CHECK(is_hadamard(order));
  }
  CHECK(is_hadamard({12, 32}));
  CHECK(is_hadamard({28, 8}));
}

TEST_CASE("hadamard_order: lengths of known models", "[kernel]") {
  static_assert(hadamard_order(4096) == HadamardOrder{1, 4096});
  static_assert(hadamard_order(768) == HadamardOrder{12, 64});
  static_assert(hadamard_order(288) == HadamardOrder{36, 8});
  static_assert(hadamard_order(5120) == HadamardOrder{20, 256});
  static_assert(hadamard_order(5632) == HadamardOrder{44, 128});
  static_assert(hadamard_order(13824) == HadamardOrder{108, 128});
  static_assert(hadamard_order(14336) == HadamardOrder{28, 512});
  static_assert(hadamard_order(18944) == HadamardOrder{148, 128});
  // Without an order of their own.
  static_assert(hadamard_order(172) == HadamardOrder{1, 4});
  static_assert(hadamard_order(11008) == HadamardOrder{1, 256});
  static_assert(hadamard_order(53) == HadamardOrder{1, 1});
  static_assert(hadamard_order(1) == HadamardOrder{1, 1});
  // A divisor of the odd part has one: 36 of 3 x 36, 12 of 13 x 12 (156 is Williamson's).
  static_assert(hadamard_order(156) == HadamardOrder{12, 1});
}

}  // namespace
}  // namespace lrqat::kernel
