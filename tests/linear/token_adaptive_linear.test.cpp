// SPDX-License-Identifier: MIT
// tests/linear/token_adaptive_linear.test.cpp: an input of two widths against layers of one.
#include <lrqat/linear/token_adaptive_linear.hpp>

#include <lrqat/grid/int.hpp>
#include <lrqat/linear/dense_linear.hpp>
#include <lrqat/linear/quant_linear.hpp>
#include <lrqat/linear/quantized_input_linear.hpp>

#include "support/matrix.hpp"

#include <catch2/catch.hpp>

#include <limits>
#include <vector>

namespace lrqat::test::token_adaptive_linear_cases {
namespace {

AnyLinear dense(const Matrix& weight) { return AnyLinear(DenseLinear<float>(weight.view())); }

struct Both {
  Matrix y, grad_x;
};

template <class Layer>
Both run(Layer& layer, const Matrix& x, const Matrix& grad_y) {
  Both both{Matrix(x.rows, grad_y.cols, -7.0f), Matrix(x.rows, x.cols, -7.0f)};
  layer.forward(x.view(), both.y.view());
  layer.backward(x.view(), grad_y.view(), both.grad_x.view());
  return both;
}

}  // namespace

TEST_CASE("TokenAdaptiveLinear: each token is that of a layer of its width, to the bit",
          "[linear]") {
  const Matrix weight = random_matrix(5, 33, 1.0f, 1), grad_y = random_matrix(70, 5, 1.0f, 3);
  Matrix x = random_matrix(70, 33, 1.0f, 2);
  for (float& value : x.view().row(4)) value = 0.25f;  // all alike
  x(6, 3) = std::numeric_limits<float>::quiet_NaN();
  TokenAdaptiveLinear layer(dense(weight));
  QuantizedInputLinear high(dense(weight), {.bits = 8}), low(dense(weight), {.bits = 4});
  const Both of_high = run(high, x, grad_y), of_low = run(low, x, grad_y);
  CHECK(bits_of(of_high.y.values) != bits_of(of_low.y.values));

  const Both plain = run(layer, x, grad_y);
  CHECK(bits_of(plain.y.values) == bits_of(of_high.y.values));
  CHECK(bits_of(plain.grad_x.values) == bits_of(of_high.grad_x.values));

  std::vector<std::uint8_t> marks(70);
  for (std::size_t t = 0; t < 70; ++t) marks[t] = t % 3 == 1 || t == 6;
  layer.set_marks(marks);
  const Both mixed = run(layer, x, grad_y);
  for (std::size_t t = 0; t < 70; ++t) {
    const Both& wanted = marks[t] != 0 ? of_low : of_high;
    CHECK(bits_of(mixed.y.view().row(t)) == bits_of(wanted.y.view().row(t)));
    CHECK(bits_of(mixed.grad_x.view().row(t)) == bits_of(wanted.grad_x.view().row(t)));
  }
  layer.set_marks(std::vector<std::uint8_t>(70));
  CHECK(bits_of(run(layer, x, grad_y).y.values) == bits_of(of_high.y.values));
}

TEST_CASE("TokenAdaptiveLinear: merges; wrong marks and widths are errors", "[linear]") {
  const Matrix weight = random_matrix(5, 8, 1.0f, 1), x = random_matrix(3, 8, 1.0f, 2);
  TokenAdaptiveLinear layer(AnyLinear(QuantLinear<Int<4>>(weight.view())));
  TokenAdaptiveLinear merged = layer.merge();
  const std::vector<std::uint8_t> marks{0, 1, 0};
  layer.set_marks(marks), merged.set_marks(marks);
  Matrix y(3, 5), merged_y(3, 5);
  layer.forward(x.view(), y.view());
  merged.forward(x.view(), merged_y.view());
  CHECK(bits_of(y.values) == bits_of(merged_y.values));

  layer.set_marks(std::vector<std::uint8_t>(2));
  CHECK_THROWS_WITH(layer.forward(x.view(), y.view()), Catch::Contains("2 marks for 3 tokens"));
  CHECK_THROWS_WITH(TokenAdaptiveLinear(dense(weight), {.high = {.bits = 4}, .low = {.bits = 8}}),
                    Catch::Contains("8 bits for marked tokens and 4"));
  CHECK_THROWS_WITH(TokenAdaptiveLinear(dense(weight), {.low = {.bits = 0}}),
                    Catch::Contains("0 bits"));
}

}  // namespace lrqat::test::token_adaptive_linear_cases
