// SPDX-License-Identifier: MIT
// tests/linear/quantized_input_linear.test.cpp: quantized inputs around a layer of any type.
#include <lrqat/linear/quantized_input_linear.hpp>

#include <lrqat/linear/dense_linear.hpp>
#include <lrqat/lrqat.hpp>

#include <catch2/catch.hpp>
#include <support/machine.hpp>
#include <support/matrix.hpp>

namespace lrqat::test::quantized_input_linear_cases {
namespace {

const Matrix weight = random_matrix(7, 19, 0.5f, 1);

/// What QuantLinear gives with the policy Input inside, by value.
template <class In>
void check_like_the_policy(const AnyInput& input, const Matrix& x, const Matrix& grad_y) {
  QuantLinear<Int<4>, LowRank<2>, In> inside(weight.view(), {.seed = 3});
  QuantLinear<Int<4>, LowRank<2>> plain(weight.view(), {.seed = 3});
  randomize_adapter(inside, 0.3f, 5);
  randomize_adapter(plain, 0.3f, 5);
  QuantizedInputLinear around(AnyLinear(plain), input);
  Matrix y(x.rows, 7), wanted(x.rows, 7), grad_x(x.rows, 19), wanted_grad(x.rows, 19);
  around.forward(x.view(), y.view());
  inside.forward(x.view(), wanted.view());
  CHECK(bits_of(y.values) == bits_of(wanted.values));
  around.backward(x.view(), grad_y.view(), grad_x.view());
  inside.backward(x.view(), grad_y.view(), wanted_grad.view());
  CHECK(bits_of(grad_x.values) == bits_of(wanted_grad.values));
  const auto got = around.parameters(), all = inside.parameters();
  REQUIRE(got.size() == all.size());
  for (std::size_t i = 0; i < all.size(); ++i)
    CHECK(copy_of(got[i].gradient) == copy_of(all[i].gradient));
  around.merge().forward(x.view(), y.view());
  CHECK(bits_of(y.values) == bits_of(wanted.values));
}

TEST_CASE("QuantizedInputLinear: the bits of the policy Input, for any number of threads",
          "[linear]") {
  const MachineSettings settings;
  for (const int threads : thread_counts({1, 2, 3, 7}))
    for (const std::size_t tokens : {1u, 5u, 150u}) {
      set_thread_count(threads);
      const Matrix x = random_matrix(tokens, 19, 1.0f, 2), grad_y = random_matrix(tokens, 7, 1, 3);
      check_like_the_policy<Input<UInt<8>>>({8}, x, grad_y);
      check_like_the_policy<Input<UInt<4>>>({4, ZeroPointMode::real}, x, grad_y);
      check_like_the_policy<Input<UInt<4>, PerToken, IntegerZeroPoint>>(
          {4, ZeroPointMode::integer}, x, grad_y);
    }
}

TEST_CASE("QuantizedInputLinear: is a layer like any other, and counts the bytes inside",
          "[linear]") {
  const QuantLinear<Int<4>, LowRank<2>> plain(weight.view());
  AnyLinear layer(QuantizedInputLinear(AnyLinear(plain), {8}));
  CHECK(layer.in_features() == 19);
  CHECK(layer.out_features() == 7);
  CHECK(layer.bytes().total() == plain.bytes().total());
  CHECK(layer.merge().bytes().total() == plain.merge().bytes().total());
}

TEST_CASE("QuantizedInputLinear: errors", "[linear]") {
  const auto with = [&](int bits) {
    return QuantizedInputLinear(AnyLinear(DenseLinear<float>(weight.view())), {bits});
  };
  CHECK_THROWS_WITH(with(0), Catch::Contains("0 bits"));
  CHECK_THROWS_WITH(with(9), Catch::Contains("of 9 bits"));
  CHECK_THROWS_WITH(with(-4), Catch::Contains("of -4 bits"));
  CHECK_THROWS_WITH(with(4).merge(), Catch::Contains("no codes to merge into"));
}

}  // namespace
}  // namespace lrqat::test::quantized_input_linear_cases
