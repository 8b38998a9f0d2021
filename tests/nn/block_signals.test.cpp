// SPDX-License-Identifier: MIT
// tests/nn/block_signals.test.cpp: what passed through a model is kept.
#include <lrqat/nn/block_signals.hpp>

#include <lrqat/linear/dense_linear.hpp>
#include <lrqat/nn/llama.hpp>

#include <catch2/catch.hpp>
#include <support/finite_difference.hpp>
#include <support/tiny_llama.hpp>

#include <algorithm>
#include <vector>

namespace lrqat::test::signals {
namespace {

std::vector<float> numbers(MatrixView<const float> view) {
  std::vector<float> all;
  for (std::size_t row = 0; row < view.rows; ++row)
    all.insert(all.end(), view.row(row).begin(), view.row(row).end());
  return all;
}

}  // namespace

TEST_CASE("MatrixCopy: holds the last matrix; a copy of it has numbers of its own", "[nn]") {
  const Tensor<float> large(5, 4, 1, 1.0), small(2, 3, 2, 1.0);
  MatrixCopy<float> first;
  CHECK(first.view().shape() == Shape{0, 0});
  first.take(large.view());
  const MatrixCopy<float> second = first;
  first.take(small.view());
  CHECK(numbers(first.view()) == small.values);
  CHECK(second.view().shape() == Shape{5, 4});
  CHECK(numbers(second.view()) == large.values);
  CHECK(second.view().data != first.view().data);
}

TEST_CASE("BlockSignals: watches a pass without a trace, and never displaces a guide", "[nn]") {
  Llama<DenseLinear<float>> model(
      random_llama(tiny_config(), 1),
      [](MatrixView<const float> weight, const LinearName&) { return DenseLinear<float>(weight); });
  const std::vector<std::uint16_t> tokens = random_tokens(10, 19, 2);
  const std::vector<float> alone = numbers(model.hidden(tokens, 2, 5));
  BlockSignals<float> signals(2), other(2);
  signals.keep({.heads = true, .streams = true});
  CHECK(numbers(signals.hidden(model, tokens, 2, 5)) == alone);
  CHECK(model.set_guide(nullptr) == nullptr);
  CHECK(signals[1].query.view().shape() == Shape{10, 16});
  CHECK(signals[1].stream.view().shape() == Shape{10, 12});
  CHECK(signals[1].context.view().shape() == Shape{0, 0});  // nobody asked for it
  const Guided guided(model, other);
  CHECK_THROWS_WITH(signals.hidden(model, tokens, 2, 5), Catch::Contains("has a guide already"));
  CHECK(model.set_guide(&other) == &other);
}

}  // namespace lrqat::test::signals
