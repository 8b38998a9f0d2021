// SPDX-License-Identifier: MIT
// nn/rope.test.cpp: rotations of pairs by position.
#include <lrqat/nn/rope.hpp>

#include <catch2/catch.hpp>
#include <support/finite_difference.hpp>
#include <support/machine.hpp>

#include <cmath>

using lrqat::Rope;
using lrqat::test::Tensor;

TEST_CASE("Rope: turns each pair by position times its frequency", "[nn]") {
  constexpr std::size_t head_dim = 6, heads = 3, length = 5, batch = 2;
  Rope<double> rope(head_dim, 10000.0);
  rope.prepare(2);
  rope.prepare(length + 4);
  const Tensor<double> before(batch * length, heads * head_dim, 1, 1.0);
  Tensor<double> x = before;
  rope.forward(x.view(), length, 4);
  for (std::size_t t = 0; t < x.rows; ++t)
    for (std::size_t pair = 0; pair < heads * head_dim / 2; ++pair) {
      const double exponent = -2.0 * static_cast<double>(pair % 3) / 6.0;
      const double angle = static_cast<double>(4 + t % length) * std::pow(10000.0, exponent);
      const double even = before.view()(t, 2 * pair), odd = before.view()(t, 2 * pair + 1);
      // Two products and a sum of numbers up to 4, sine and cosine within a unit.
      CHECK(std::abs(x.view()(t, 2 * pair) - (even * std::cos(angle) - odd * std::sin(angle))) <=
            8 * 4 * 0x1p-53);
      CHECK(std::abs(x.view()(t, 2 * pair + 1) -
                     (even * std::sin(angle) + odd * std::cos(angle))) <= 8 * 4 * 0x1p-53);
    }
}

TEST_CASE("Rope: position 0 stays, and scores depend on distances only", "[nn]") {
  Rope<double> rope(8, 10000.0);
  rope.prepare(40);
  const Tensor<double> query(1, 8, 1, 1.0), key(1, 8, 2, 1.0);
  const auto score = [&](std::size_t query_position, std::size_t key_position) {
    Tensor<double> q = query, k = key;
    rope.forward(q.view(), 1, query_position);
    rope.forward(k.view(), 1, key_position);
    return lrqat::test::dot(q.values, k.values);
  };
  CHECK(score(0, 0) == lrqat::test::dot(query.values, key.values));
  // 8 products of numbers up to 3, each rotated with a few roundings.
  CHECK(std::abs(score(7, 3) - score(37, 33)) <= 8 * 9 * 8 * 0x1p-53);
}

TEST_CASE("Rope: gradients are those of finite differences", "[nn]") {
  Rope<double> rope(4, 10000.0);
  rope.prepare(70);
  Tensor<double> x(70, 8, 1, 1.0);
  const Tensor<double> grad_y(70, 8, 2, 1.0);
  const auto loss = [&] {
    Tensor<double> y = x;
    rope.forward(y.view(), 70);
    return lrqat::test::dot(y.values, grad_y.values);
  };
  Tensor<double> grad = grad_y;
  rope.backward(grad.view(), 70);
  CHECK(lrqat::test::worst_gradient_error(loss, x.values, grad.values, 7) <= 1);
}

TEST_CASE("Rope: heads in columns are rotated to the same bits, on any machine", "[nn]") {
  const lrqat::test::MachineSettings settings;
  for (const auto isa : lrqat::test::isas_of_machine()) {
    lrqat::kernel::set_active_isa(isa);
    for (const std::size_t head_dim : {2u, 6u, 34u})
      for (const std::size_t count : {1u, 15u, 17u, 64u}) {
        Rope<float> rope(head_dim, 10000.0);
        for (const std::size_t prepared : {1u, 65u, 100u, 192u}) rope.prepare(prepared);
        Tensor<float> rows(count, head_dim, 1, 1.0), columns(head_dim, count);
        for (std::size_t r = 0; r < count; ++r)
          for (std::size_t d = 0; d < head_dim; ++d) columns.view()(d, r) = rows.view()(r, d);
        rope.forward(rows.view(), count, 128);
        rope.forward_columns(columns.view(), 128);
        bool same = true;
        for (std::size_t r = 0; r < count; ++r)
          for (std::size_t d = 0; d < head_dim; ++d)
            same = same && columns.view()(d, r) == rows.view()(r, d);
        INFO(lrqat::test::isa_name(isa) << ", " << count << " heads of " << head_dim);
        CHECK(same);
      }
  }
}

TEST_CASE("Rope: errors name the numbers", "[nn]") {
  CHECK_THROWS_WITH(Rope<float>(7, 1e4), Catch::Contains("head_dim is 7"));
  CHECK_THROWS_WITH(Rope<float>(8, -1.0), Catch::Contains("theta is -1"));
  Rope<float> rope(8, 1e4);
  rope.prepare(3);
  Tensor<float> x(4, 8), odd(2, 9);
  CHECK_THROWS_WITH(rope.forward(x.view(), 4), Catch::Contains("4 positions are needed, 3"));
  CHECK_THROWS_WITH(rope.forward(odd.view(), 2), Catch::Contains("9 columns"));
  Tensor<float> columns(8, 4);
  CHECK_THROWS_WITH(rope.forward_columns(columns.view(), 0), Catch::Contains("4 positions are"));
  CHECK_THROWS_WITH(rope.forward_columns(columns.view(), 1), Catch::Contains("from 1 on"));
  CHECK_THROWS_WITH(rope.forward_columns(odd.view(), 0), Catch::Contains("columns of 2 numbers"));
}
