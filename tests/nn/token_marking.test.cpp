// SPDX-License-Identifier: MIT
// tests/nn/token_marking.test.cpp: which tokens are marked, and whom it is told.
#include <lrqat/nn/token_marking.hpp>

#include <lrqat/linear/dense_linear.hpp>
#include <lrqat/linear/quantized_input_linear.hpp>

#include "support/matrix.hpp"
#include "support/tiny_llama.hpp"

#include <catch2/catch.hpp>

#include <utility>
#include <vector>

namespace lrqat::test::marking {
namespace {

using Marks = std::vector<std::uint8_t>;

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

/// The marks that each block's attention asks for, as it goes by.
struct Witness : BlockGuide<float> {
  explicit Witness(TokenMarking<TokenAdaptiveLinear>& guide) : marking(guide) {}
  void context(std::size_t block, const BlockTape<float>& tape) override {
    marking.context(block, tape);
    std::vector<double> importance(tape.query.rows);
    token_importance<float>(tape.shape, tape.query, tape.key, tape.log_sum_exp, importance);
    Marks least(importance.size());
    mark_least_important(importance, tape.shape.sequences, 0.5, least);
    wanted.push_back(least);
  }
  TokenMarking<TokenAdaptiveLinear>& marking;
  std::vector<Marks> wanted;
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
  REQUIRE(witness.wanted.size() == 2);
  const auto marks = [&](std::size_t block, LinearKind kind) {
    const auto view = model.linear({block, kind}).marks();
    return Marks(view.begin(), view.end());
  };
  for (const LinearKind kind : {LinearKind::query, LinearKind::key, LinearKind::value}) {
    CHECK(marks(0, kind).empty());
    CHECK(marks(1, kind) == witness.wanted[0]);
  }
  for (const std::size_t block : {0u, 1u})
    for (const LinearKind kind :
         {LinearKind::output, LinearKind::gate, LinearKind::up, LinearKind::down})
      CHECK(marks(block, kind) == witness.wanted[block]);
  CHECK(marks(0, LinearKind::up) != marks(1, LinearKind::up));
  for (const std::size_t first : {0u, 9u}) CHECK(marks(1, LinearKind::up)[first] == 0);
}

}  // namespace lrqat::test::marking
