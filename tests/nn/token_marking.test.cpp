// SPDX-License-Identifier: MIT
// tests/nn/token_marking.test.cpp: which tokens are marked, and whom it is told.
#include <lrqat/nn/token_marking.hpp>

#include <lrqat/linear/dense_linear.hpp>
#include <lrqat/linear/quantized_input_linear.hpp>

#include "support/matrix.hpp"
#include "support/tiny_llama.hpp"

#include <catch2/catch.hpp>

#include <cmath>
#include <utility>
#include <vector>

namespace lrqat::test::marking {
namespace {

using Marks = std::vector<std::uint8_t>;

Marks marked(const std::vector<double>& importance, std::size_t sequences, double share) {
  Marks marks(importance.size(), 9);
  mark_least_important(importance, sequences, share, marks);
  return marks;
}

template <class Layer, class... Input>
Llama<Layer> model_of(const Input&... input) {
  return Llama<Layer>(random_llama(tiny_config(), 1),
                      [&](MatrixView<const float> weight, const LinearName&) {
                        return Layer(AnyLinear(DenseLinear<float>(weight)), input...);
                      });
}

/// Logits of 2 sequences of 9 tokens.
template <class Layer>
std::vector<float> logits(Llama<Layer>& model) {
  std::vector<float> all(2 * 9 * 19);
  model.forward(random_tokens(2 * 9, 19, 5), 2, 9, {all.data(), 18, 19});
  return all;
}

/// Importance by explicit softmax, and the marks of each block as they went by.
struct Witness : BlockGuide<float> {
  explicit Witness(TokenMarking<TokenAdaptiveLinear>& guide) : marking(guide) {}
  void context(std::size_t block, const BlockTape<float>& tape) override {
    marking.context(block, tape);
    const AttentionShape& shape = tape.shape;
    std::vector<double> all;
    for (std::size_t s = 0; s < shape.sequences; ++s)
      for (std::size_t t = 0; t < shape.queries; ++t) {
        double importance = 0;
        for (std::size_t head = 0; head < shape.heads; ++head) {
          std::vector<double> score(t + 1);
          double sum = 0;
          for (std::size_t k = 0; k <= t; ++k) {
            for (std::size_t d = 0; d < shape.head_dim; ++d)
              score[k] += double{tape.query(s * shape.queries + t, head * shape.head_dim + d)} *
                          double{tape.key(s * shape.keys + k, head / 2 * shape.head_dim + d)};
            score[k] = std::exp(score[k] / std::sqrt(static_cast<double>(shape.head_dim)));
            sum += score[k];
          }
          importance += score[0] / sum;
        }
        all.push_back(importance);
      }
    importance.push_back(all);
  }
  TokenMarking<TokenAdaptiveLinear>& marking;
  std::vector<std::vector<double>> importance;
};

}  // namespace

TEST_CASE("TokenMarking: without a share the model is a plain 8-bit one, to the bit", "[nn]") {
  auto adaptive = model_of<TokenAdaptiveLinear>();
  auto high = model_of<QuantizedInputLinear>(AnyInput{.bits = 8});
  auto low = model_of<QuantizedInputLinear>(AnyInput{.bits = 4});
  const auto wanted = bits_of(logits(high));
  CHECK(bits_of(logits(adaptive)) == wanted);
  {
    TokenMarking marking(adaptive, 0.0);
    const Guided guided(adaptive, marking);
    CHECK(bits_of(logits(adaptive)) == wanted);
  }
  {
    TokenMarking marking(adaptive, 0.5);
    const Guided guided(adaptive, marking);
    const auto half = bits_of(logits(adaptive));
    CHECK(half != wanted);
    CHECK(half != bits_of(logits(low)));
    CHECK(bits_of(logits(adaptive)) == half);  // nothing is left from a pass
  }
  CHECK(bits_of(logits(adaptive)) == wanted);  // nor when the guide is gone
  CHECK_THROWS_WITH(TokenMarking(adaptive, -0.5), Catch::Contains("-0.5"));
}

TEST_CASE("TokenMarking: finds its layers in an AnyLinear, and passes over others", "[nn]") {
  auto plain = model_of<TokenAdaptiveLinear>();
  Llama<AnyLinear> any(random_llama(tiny_config(), 1),
                       [](MatrixView<const float> weight, const LinearName& which) {
                         AnyLinear dense{DenseLinear<float>(weight)};
                         if (which.kind == LinearKind::down) return dense;
                         return AnyLinear(TokenAdaptiveLinear(std::move(dense)));
                       });
  TokenMarking marking(plain, 0.5);
  TokenMarking marking_any(any, 0.5);
  const Guided guided(plain, marking);
  const Guided guided_any(any, marking_any);
  const auto wanted = bits_of(logits(plain)), mixed = bits_of(logits(any));
  CHECK(mixed != wanted);  // "down" is not quantized
  const auto marks = [](const TokenAdaptiveLinear& layer) {
    return Marks(layer.marks().begin(), layer.marks().end());
  };
  // The first attention reads the same in both.
  CHECK(marks(*any.linear({0, LinearKind::up}).get_if<TokenAdaptiveLinear>()) ==
        marks(plain.linear({0, LinearKind::up})));
  CHECK(marks(plain.linear({0, LinearKind::up})).size() == 18);
}

TEST_CASE("TokenMarking: a block's marks are those of its attention; they hold up to the next one",
          "[nn]") {
  auto model = model_of<TokenAdaptiveLinear>();
  TokenMarking marking(model, 0.5);
  Witness witness(marking);
  const Guided guided(model, witness);
  logits(model);
  REQUIRE(witness.importance.size() == 2);
  const auto marks = [&](std::size_t block, LinearKind kind) {
    const auto view = model.linear({block, kind}).marks();
    return Marks(view.begin(), view.end());
  };
  for (const LinearKind kind : {LinearKind::query, LinearKind::key, LinearKind::value}) {
    CHECK(marks(0, kind).empty());
    CHECK(marks(1, kind) == marked(witness.importance[0], 2, 0.5));
  }
  for (const std::size_t block : {0u, 1u})
    for (const LinearKind kind :
         {LinearKind::output, LinearKind::gate, LinearKind::up, LinearKind::down})
      CHECK(marks(block, kind) == marked(witness.importance[block], 2, 0.5));
  CHECK(marks(0, LinearKind::up) != marks(1, LinearKind::up));
  for (const std::size_t first : {0u, 9u}) CHECK(marks(1, LinearKind::up)[first] == 0);
}

}  // namespace lrqat::test::marking
