// SPDX-License-Identifier: MIT
// nn/embedding.test.cpp: rows of a table, and their sums back.
#include <lrqat/nn/embedding.hpp>

#include <catch2/catch.hpp>
#include <support/finite_difference.hpp>
#include <support/tiny_llama.hpp>

using lrqat::test::Tensor;

TEST_CASE("embedding: copies rows and adds gradients of repeated tokens", "[nn]") {
  constexpr std::size_t vocab = 11, dim = 70, count = 130;
  Tensor<double> table(vocab, dim, 1, 1.0), y(count, dim);
  const auto tokens = lrqat::test::random_tokens(count, vocab, 2);
  lrqat::embedding_forward<double>(table.view(), tokens, y.view());
  for (std::size_t t = 0; t < count; ++t)
    for (std::size_t i = 0; i < dim; ++i) CHECK(y.view()(t, i) == table.view()(tokens[t], i));

  const Tensor<double> grad_y(count, dim, 3, 1.0);
  Tensor<double> grad(vocab, dim);
  lrqat::embedding_backward<double>(tokens, grad_y.view(), grad.view());
  const auto loss = [&] {
    lrqat::embedding_forward<double>(table.view(), tokens, y.view());
    return lrqat::test::dot(y.values, grad_y.values);
  };
  // The loss is a sum of count * dim products: that many roundings.
  CHECK(lrqat::test::worst_gradient_error(loss, table.values, grad.values, 13, 9100) <= 1);
}

TEST_CASE("embedding: a token outside the vocabulary is named", "[nn]") {
  const Tensor<float> table(4, 3);
  Tensor<float> y(3, 3);
  const std::vector<std::uint16_t> tokens{1, 3, 4};
  CHECK_THROWS_WITH(lrqat::embedding_forward<float>(table.view(), tokens, y.view()),
                    Catch::Contains("token 4 at position 2") && Catch::Contains("of 4"));
}
