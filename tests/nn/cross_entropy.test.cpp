// SPDX-License-Identifier: MIT
// nn/cross_entropy.test.cpp: losses and their gradients, also of extreme logits.
#include <lrqat/nn/cross_entropy.hpp>

#include <catch2/catch.hpp>
#include <support/finite_difference.hpp>
#include <support/tiny_llama.hpp>

#include <cmath>
#include <numeric>
#include <vector>

using lrqat::test::Tensor;

TEST_CASE("cross_entropy: float equals the definition in double", "[nn]") {
  for (const std::size_t vocab : {1u, 19u, 512u}) {
    const Tensor<float> logits(70, vocab, 1, 6.0);
    const auto targets = lrqat::test::random_tokens(70, vocab, 2);
    std::vector<double> nll(70);
    lrqat::cross_entropy(logits.view(), targets, nll);
    for (std::size_t t = 0; t < 70; ++t) {
      double sum = 0;
      for (const float logit : logits.view().row(t)) sum += std::exp(double{logit});
      const double exact = std::log(sum) - double{logits.view()(t, targets[t])};
      // logit - largest is rounded (numbers below 64: 2^-19), exp is wrong by 2^-22 relatively; the
      // logarithm of the sum is then wrong by as much absolutely.
      CHECK(std::abs(nll[t] - exact) <= 0x1p-19 + 0x1p-22);
    }
  }
}

TEST_CASE("cross_entropy: the gradient pass gives the same loss and the right gradient", "[nn]") {
  constexpr std::size_t tokens = 66, vocab = 21;
  Tensor<double> logits(tokens, vocab, 1, 2.0);
  const auto targets = lrqat::test::random_tokens(tokens, vocab, 2);
  std::vector<double> nll(tokens), again(tokens);
  lrqat::cross_entropy(logits.view(), targets, nll);
  Tensor<double> gradient = logits;
  lrqat::cross_entropy_with_gradient(gradient.view(), targets, 0.3, again);
  CHECK(nll == again);
  const auto loss = [&] {
    lrqat::cross_entropy(logits.view(), targets, nll);
    return 0.3 * std::accumulate(nll.begin(), nll.end(), 0.0);
  };
  CHECK(lrqat::test::worst_gradient_error(loss, logits.values, gradient.values, 5) <= 1);
}

TEST_CASE("cross_entropy: huge logits neither overflow nor vanish", "[nn]") {
  Tensor<float> logits(2, 20, -3e38f);
  logits.view()(0, 3) = 3e38f;
  for (float& logit : logits.view().row(1)) logit = -1000.0f;
  const std::vector<std::uint16_t> targets{3, 7};
  std::vector<double> nll(2);
  lrqat::cross_entropy_with_gradient(logits.view(), targets, 1.0, nll);
  CHECK(nll[0] == 0.0);
  CHECK(std::abs(nll[1] - std::log(20.0)) <= 1e-15);
  CHECK(logits.view()(0, 3) == 0.0f);
  CHECK(std::abs(logits.view()(1, 7) - (1.0f / 20 - 1)) <= 0x1p-23f);
}

TEST_CASE("cross_entropy: errors name the token", "[nn]") {
  Tensor<float> logits(2, 5);
  const std::vector<std::uint16_t> targets{1, 5}, few{1};
  std::vector<double> nll(2);
  CHECK_THROWS_WITH(lrqat::cross_entropy(logits.view(), targets, nll),
                    Catch::Contains("target 5 at position 1"));
  CHECK_THROWS_WITH(lrqat::cross_entropy(logits.view(), few, nll), Catch::Contains("1 targets"));
}
