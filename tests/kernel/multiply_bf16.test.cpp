// SPDX-License-Identifier: MIT
// tests/kernel/multiply_bf16.test.cpp: the product of rounded operands on every unit.
#include <lrqat/kernel/multiply_bf16.hpp>

#include "tile_registers.hpp"

#include <lrqat/core/rng.hpp>

#include <catch2/catch.hpp>

#include <cmath>
#include <initializer_list>
#include <limits>
#include <string>
#include <vector>

namespace {

using namespace lrqat;
using kernel::Bf16Unit;
using kernel::LeftFactor;
using Sizes = std::initializer_list<std::size_t>;

struct UnitGuard {
  kernel::Isa isa = kernel::active_isa();
  Bf16Unit unit = kernel::active_bf16_unit();
  ~UnitGuard() {
    kernel::set_active_isa(isa);
    if (isa == kernel::Isa::avx512) kernel::set_active_bf16_unit(unit);
  }
};

struct Numbers {
  std::vector<float> values;
  Numbers(std::size_t count, std::uint64_t seed) : values(count) {
    const CounterRng random(seed, 0);
    for (std::size_t i = 0; i < count; ++i) values[i] = random.normal(i);
  }
};

enum class Stored { rows, transposed, sparse };

/// `run` against double sums of the rounded factors, and the guard values around c.
template <class Run>
void check(std::size_t m, std::size_t k, std::size_t n, Stored layout, bool scaled, bool overwrites,
           Run run) {
  INFO("m " << m << " k " << k << " n " << n << " layout " << int(layout) << " scaled " << scaled
            << " overwrites " << overwrites);
  const std::size_t pad = 3;
  const Numbers a(m * k * 3 + 8, 1), b(k * (n + pad) + 8, 2), c((m + 1) * (n + pad), 3),
      scale(k, 4);
  const LeftFactor<float> left =
      layout == Stored::rows         ? LeftFactor<float>{a.values.data(), m, k, k, 1}
      : layout == Stored::transposed ? LeftFactor<float>{a.values.data(), m, k, 1, m}
                                     : LeftFactor<float>{a.values.data(), m, k, 3 * k, 3};
  const MatrixView<const float> right(b.values.data(), k, n, n + pad);
  std::vector<float> result = c.values;
  const MatrixView<float> target(result.data(), m, n, n + pad);
  run(left, right, target,
      scaled ? std::span<const float>(scale.values) : std::span<const float>());
  const auto rounded = [](float value) { return double(float(bf16(value))); };
  for (std::size_t i = 0; i <= m; ++i)
    for (std::size_t j = 0; j < n + pad; ++j) {
      const float before = c.values[i * (n + pad) + j], after = result[i * (n + pad) + j];
      if (i == m || j >= n) {
        REQUIRE(before == after);
        continue;
      }
      double sum = overwrites ? 0.0 : double(before), size = std::fabs(sum);
      for (std::size_t d = 0; d < k; ++d) {
        const float factor = *left.at(i, d) * (scaled ? scale.values[d] : 1.0f);
        const double product = rounded(factor) * rounded(right(d, j));
        sum += product;
        size += std::fabs(product);
      }
      // The contract's bound; 2^-149 where everything is zero.
      REQUIRE(std::fabs(double(after) - sum) <= double(k + 3) * 0x1p-24 * size + 0x1p-149);
    }
}

template <class Run>
void check_shapes(bool overwrites, Run run) {
  for (const std::size_t m : Sizes{1, 2, 7, 14, 15, 16, 17, 31, 33, 47})
    for (const std::size_t n : Sizes{1, 15, 16, 17, 31, 32, 33, 65})
      for (const std::size_t k : Sizes{1, 2, 3, 31, 32, 33})
        for (const Stored layout : {Stored::rows, Stored::transposed, Stored::sparse})
          check(m, k, n, layout, (m + n + k) % 2 == 0, overwrites, run);
  check(19, 1030, 40, Stored::rows, true, overwrites, run);  // blocks of the depth
  check(19, 513, 40, Stored::transposed, true, overwrites, run);
  check(5, 12, 523, Stored::rows, false, overwrites, run);  // blocks of the width
}

void check_both(bool overwrites) {
  check_shapes(overwrites, [&](auto a, auto b, auto c, auto scale) {
    if (overwrites)
      kernel::multiply_bf16_into(a, b, c, scale);
    else
      kernel::multiply_bf16(a, b, c, scale);
  });
}

TEST_CASE("multiply_bf16: every unit keeps the bound of the contract", "[kernel]") {
  const UnitGuard guard;
  for (const kernel::Isa isa : kernel::all_isas) {
    if (!machine_has(isa)) continue;
    kernel::set_active_isa(isa);
    for (const Bf16Unit unit : kernel::all_bf16_units) {
      if (!machine_has(unit) || (isa != kernel::Isa::avx512 && unit != Bf16Unit::emulated))
        continue;
      kernel::set_active_bf16_unit(unit);
      INFO("isa " << std::string(name(isa)) << " unit " << std::string(name(unit)));
      for (const bool overwrites : {false, true}) check_both(overwrites);
    }
  }
}

TEST_CASE("multiply_bf16: the tile unit's driver, on a model of the registers", "[kernel]") {
  for (const bool overwrites : {false, true})
    check_shapes(overwrites, [&](auto a, auto b, auto c, auto scale) {
      kernel::multiply_bf16_tiled<test::TileRegisters>(
          {a, b, c, scale.empty() ? nullptr : scale.data(), overwrites});
      REQUIRE_FALSE(test::TileRegisters::taken);
    });
}

TEST_CASE("multiply_bf16: sums of small integers are exact", "[kernel]") {
  std::vector<float> a(9 * 70), b(70 * 20), c(9 * 20, 1.0f);
  for (std::size_t i = 0; i < a.size(); ++i) a[i] = float(int(i * 7 % 255) - 127);
  for (std::size_t i = 0; i < b.size(); ++i) b[i] = float(int(i * 5 % 16) - 8);
  kernel::multiply_bf16({a.data(), 9, 70, 70, 1}, {b.data(), 70, 20}, {c.data(), 9, 20});
  for (std::size_t i = 0; i < 9; ++i)
    for (std::size_t j = 0; j < 20; ++j) {
      float sum = 1.0f;
      for (std::size_t k = 0; k < 70; ++k) sum += a[i * 70 + k] * b[k * 20 + j];
      REQUIRE(c[i * 20 + j] == sum);
    }
}

TEST_CASE("multiply_bf16: a product without depth adds nothing, or is zero", "[kernel]") {
  std::vector<float> c(4, 3.0f);
  kernel::multiply_bf16({nullptr, 2, 0, 0, 1}, {nullptr, 0, 2}, {c.data(), 2, 2});
  CHECK(c == std::vector<float>(4, 3.0f));
  kernel::multiply_bf16_into({nullptr, 2, 0, 0, 1}, {nullptr, 0, 2}, {c.data(), 2, 2});
  CHECK(c == std::vector<float>(4, 0.0f));
}

TEST_CASE("multiply_bf16: shapes and scales that do not fit are errors", "[kernel]") {
  std::vector<float> x(12);
  CHECK_THROWS_WITH(
      kernel::multiply_bf16({x.data(), 3, 4, 4, 1}, {x.data(), 3, 4}, {x.data(), 3, 4}),
      "multiply: a is (3, 4), b is (3, 4), c is (3, 4)");
  CHECK_THROWS_WITH(kernel::multiply_bf16({x.data(), 3, 4, 4, 1}, {x.data(), 4, 3},
                                          {x.data(), 3, 3}, std::span<const float>(x.data(), 3)),
                    "multiply_bf16: 3 scales for a depth of 4");
}

TEST_CASE("set_active_bf16_unit: a unit that the machine lacks is an error", "[kernel]") {
  if (!machine_has(Bf16Unit::amx))
    CHECK_THROWS_WITH(kernel::set_active_bf16_unit(Bf16Unit::amx),
                      "set_active_bf16_unit: this machine lacks amx");
}

}  // namespace
