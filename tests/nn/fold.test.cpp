// SPDX-License-Identifier: MIT
// tests/nn/fold.test.cpp: scales and orders that fold into a LLaMA leave its function as it is.
#include <lrqat/nn/fold.hpp>

#include <lrqat/linear/dense_linear.hpp>
#include <lrqat/nn/llama.hpp>

#include <catch2/catch.hpp>
#include <support/tiny_llama.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <vector>

namespace lrqat::test {
namespace {

using Catch::Matchers::Contains;

std::vector<double> logits_of(const LlamaWeights& weights) {
  Llama<DenseLinear<double>> model(weights, [](MatrixView<const float> weight, const LinearName&) {
    return DenseLinear<double>(weight);
  });
  const auto tokens = random_tokens(2 * 11, weights.config.vocab, 8);
  std::vector<double> logits(tokens.size() * weights.config.vocab);
  model.forward(tokens, 2, 11, MatrixView<double>(logits.data(), tokens.size(), weights.config.vocab));
  return logits;
}

std::vector<float> powers_of_two(std::size_t count, std::uint64_t seed) {
  const CounterRng random(seed, 5);
  std::vector<float> scale(count);
  for (std::size_t j = 0; j < count; ++j)
    scale[j] = std::ldexp(1.0f, static_cast<int>(random.below(13, j)) - 6);
  return scale;
}

/// All four folds in all blocks.
LlamaWeights folded(LlamaWeights weights,
                    const std::function<std::vector<float>(std::size_t, std::uint64_t)>& scales) {
  const LlamaConfig& config = weights.config;
  std::uint64_t seed = 1;
  for (LlamaWeights::Block& block : weights.blocks) {
    fold_into_attention_norm(block, scales(config.dim, seed++));
    fold_into_value(config, block, scales(config.kv_heads * config.head_dim, seed++));
    fold_into_mlp_norm(block, scales(config.dim, seed++));
    fold_into_up(config, block, scales(config.hidden_dim, seed++));
  }
  return weights;
}

LlamaConfig config_of(std::size_t kv_heads) {
  LlamaConfig config = tiny_config();
  config.kv_heads = kv_heads;
  return config;
}

TEST_CASE("Folds: powers of two change no bit of the outputs", "[nn]") {
  for (const std::size_t kv_heads : {1u, 2u, 4u}) {
    const LlamaWeights before = random_llama(config_of(kv_heads), 5);
    const LlamaWeights after = folded(before, powers_of_two);
    CHECK(logits_of(after) == logits_of(before));
    // And each weight was moved.
    for (const LinearKind kind : linear_kinds)
      CHECK(linear_weight(after.blocks[1], kind) != linear_weight(before.blocks[1], kind));
    CHECK(after.blocks[0].attention_norm != before.blocks[0].attention_norm);
    CHECK(after.blocks[0].mlp_norm != before.blocks[0].mlp_norm);
  }
}

TEST_CASE("Folds: any scale, up to the rounding of the weights it moves", "[nn]") {
  const LlamaWeights before = random_llama(config_of(2), 5);
  const auto reals = [](std::size_t count, std::uint64_t seed) {
    const CounterRng random(seed, 6);
    std::vector<float> scale(count);
    for (std::size_t j = 0; j < count; ++j) scale[j] = std::exp(random.normal(j));
    return scale;
  };
  const auto difference = [](const std::vector<double>& a, const std::vector<double>& b) {
    double worst = 0;
    for (std::size_t i = 0; i < a.size(); ++i) worst = std::max(worst, std::fabs(a[i] - b[i]));
    return worst;
  };
  const std::vector<double> wanted = logits_of(before);
  const double off = difference(logits_of(folded(before, reals)), wanted);
  CHECK(off > 0);
  // Products of two moved numbers are off by 2 * 2^-24 of their size. How far that carries through
  // this model is measured: all linear weights and norms wrong by as much, with random signs, 2^10
  // times enlarged to be well above double's own rounding and well below what is not linear.
  LlamaWeights wrong = before;
  std::uint64_t stream = 0;
  const auto spoil = [&](AlignedVector<float>& values) {
    const CounterRng random(9, stream++);
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] *= 1 + (random.bits(i) % 2 ? 0x1p-13f : -0x1p-13f);
  };
  for (LlamaWeights::Block& block : wrong.blocks)
    for (AlignedVector<float>* const values :
         {&block.attention_norm, &block.query, &block.key, &block.value, &block.output,
          &block.mlp_norm, &block.gate, &block.up, &block.down})
      spoil(*values);
  const double carried = difference(logits_of(wrong), wanted) * 0x1p-10;
  // Random signs of one draw against those of another: within 4 of each other.
  CHECK(off <= 4 * carried);
}

TEST_CASE("Folds: the norm's outputs and the rows are those divided by the scale", "[nn]") {
  LlamaWeights weights = random_llama(config_of(2), 5);
  const LlamaWeights before = weights;
  std::vector<float> scale(8, 1.0f);
  scale[5] = 4.0f;  // channel 1 of the second value head
  fold_into_value(weights.config, weights.blocks[0], scale);
  for (std::size_t j = 0; j < 12; ++j)
    CHECK(weights.blocks[0].value[5 * 12 + j] == before.blocks[0].value[5 * 12 + j] / 4);
  for (std::size_t i = 0; i < 12; ++i)
    for (std::size_t j = 0; j < 16; ++j) {  // heads 2 and 3 read the second value head
      const float factor = j == 2 * 4 + 1 || j == 3 * 4 + 1 ? 4.0f : 1.0f;
      CHECK(weights.blocks[0].output[i * 16 + j] == factor * before.blocks[0].output[i * 16 + j]);
    }
}

TEST_CASE("Folds: what inputs of one value head share", "[nn]") {
  const LlamaConfig config = config_of(2);
  std::vector<float> values(16);
  std::iota(values.begin(), values.end(), 0.0f);
  const std::span<const float> all(values);
  const auto largest = shared_by_value_heads(config, all, Shared::largest);
  const auto mean = shared_by_value_heads(config, all, Shared::mean);
  CHECK(largest == std::vector<float>{4, 5, 6, 7, 12, 13, 14, 15});
  CHECK(mean == std::vector<float>{2, 3, 4, 5, 10, 11, 12, 13});
  const auto spread = spread_over_heads(config, std::span<const float>(largest));
  CHECK(spread == std::vector<float>{4, 5, 6, 7, 4, 5, 6, 7, 12, 13, 14, 15, 12, 13, 14, 15});
  CHECK(shared_by_value_heads(config, std::span<const float>(spread), Shared::largest) == largest);
  CHECK(shared_by_value_heads(config_of(4), all, Shared::mean) == values);
  CHECK_THROWS_WITH(shared_by_value_heads(config, all.first(3), Shared::mean),
                    Contains("3 numbers for 4 heads of 4"));
}

TEST_CASE("permute_hidden: another order of the sums, and nothing else", "[nn]") {
  LlamaWeights weights = random_llama(config_of(2), 5);
  const std::vector<double> before = logits_of(weights);
  std::vector<std::uint32_t> order(20);
  for (std::uint32_t k = 0; k < 20; ++k) order[k] = k * 7 % 20;
  for (LlamaWeights::Block& block : weights.blocks) permute_hidden(weights.config, block, order);
  const std::vector<double> after = logits_of(weights);
  // Only double sums of 20 terms go another way: some 2^-53 each, through two blocks.
  for (std::size_t i = 0; i < after.size(); ++i) CHECK(std::fabs(after[i] - before[i]) <= 1e-12);
  CHECK(weights.blocks[0].gate != random_llama(config_of(2), 5).blocks[0].gate);
  order[3] = order[4];
  CHECK_THROWS_WITH(permute_hidden(weights.config, weights.blocks[0], order),
                    Contains("is not there, or comes twice"));
}

TEST_CASE("Folds: scales that cannot be taken out are refused", "[nn]") {
  LlamaWeights weights = random_llama(config_of(2), 5);
  const LlamaWeights before = weights;
  LlamaWeights::Block& block = weights.blocks[0];
  const std::vector<float> few(3, 1.0f);
  CHECK_THROWS_WITH(fold_into_mlp_norm(block, few), Contains("3 scales for 12 channels"));
  CHECK_THROWS_WITH(fold_into_value(weights.config, block, std::vector<float>(16, 1.0f)),
                    Contains("16 scales for 8 channels"));
  for (const float bad : {0.0f, -1.0f, std::numeric_limits<float>::infinity(),
                          std::numeric_limits<float>::quiet_NaN()}) {
    std::vector<float> scale(12, 1.0f);
    scale[7] = bad;
    CHECK_THROWS_WITH(fold_into_attention_norm(block, scale), Contains("scale 7 is"));
  }
  CHECK(block.query == before.blocks[0].query);
}

}  // namespace
}  // namespace lrqat::test
