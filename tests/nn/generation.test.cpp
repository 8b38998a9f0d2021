// SPDX-License-Identifier: MIT
// nn/generation.test.cpp: a model that reads token by token equals one that reads all at once.
#include <lrqat/nn/llama.hpp>

#include <lrqat/linear/dense_linear.hpp>
#include <lrqat/nn/sampler.hpp>

#include <catch2/catch.hpp>
#include <support/finite_difference.hpp>
#include <support/tiny_llama.hpp>

#include <span>
#include <vector>

using lrqat::DenseLinear;
using Model = lrqat::Llama<DenseLinear<float>>;

namespace {

Model tiny() {
  return {lrqat::test::random_llama(lrqat::test::tiny_config(), 5),
          [](lrqat::MatrixView<const float> weight, const lrqat::LinearName&) {
            return DenseLinear<float>(weight);
          }};
}

}  // namespace

TEST_CASE("generation: cached logits are those of the whole sequence", "[nn]") {
  // Every sum runs over the same numbers in the same order, so even the bits are equal.
  Model model = tiny();
  constexpr std::size_t length = 100;
  const auto tokens = lrqat::test::random_tokens(length, model.config().vocab, 3);
  lrqat::test::Tensor<float> whole(length, model.config().vocab);
  model.forward(tokens, 1, length, whole.view());
  for (const std::size_t prompt : {1u, 7u, 64u, 99u}) {
    lrqat::KvCache<float> cache(model.config(), length);
    auto logits = model.prefill(std::span(tokens).first(prompt), cache);
    for (std::size_t t = prompt - 1;; logits = model.step(tokens[++t], cache)) {
      const auto wanted = whole.view().row(t);
      CHECK(std::equal(wanted.begin(), wanted.end(), logits.begin(), logits.end()));
      if (t + 1 == length) break;
    }
    CHECK(cache.length() == length);
  }
}

TEST_CASE("generation: a cleared cache starts anew", "[nn]") {
  Model model = tiny();
  lrqat::KvCache<float> cache(model.config());
  const auto generate = [&] {
    std::vector<std::uint16_t> text{1};
    while (text.size() < 12) text.push_back(lrqat::greedy_token(model.step(text.back(), cache)));
    return text;
  };
  const auto first = generate();
  cache.clear();
  CHECK(generate() == first);
}

TEST_CASE("generation: errors of the cache", "[nn]") {
  Model model = tiny();
  lrqat::KvCache<float> cache(model.config(), 3);
  const std::vector<std::uint16_t> tokens{1, 2, 3, 4};
  CHECK_THROWS_WITH(model.prefill(tokens, cache), Catch::Contains("0 + 4 tokens"));
  CHECK(cache.length() == 0);
  CHECK_THROWS_WITH(model.prefill({}, cache), Catch::Contains("no token"));
  auto config = model.config();
  config.layers = 3;
  lrqat::KvCache<float> other(config);
  CHECK_THROWS_WITH(model.step(1, other), Catch::Contains("3 layers"));
}
