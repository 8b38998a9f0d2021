// SPDX-License-Identifier: MIT
// nn/quantized_kv_cache.test.cpp: codes of keys and values, and generation from them.
#include <lrqat/nn/quantized_kv_cache.hpp>

#include <lrqat/linear/dense_linear.hpp>
#include <lrqat/nn/llama.hpp>

#include <catch2/catch.hpp>
#include <support/finite_difference.hpp>
#include <support/machine.hpp>
#include <support/tiny_llama.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

using namespace lrqat;
using lrqat::test::Tensor;

namespace {

using Model = Llama<DenseLinear<float>>;

Model model_with(const ActivationBits& bits, const LlamaConfig& config = test::tiny_config()) {
  return {test::random_llama(config, 5),
          [](MatrixView<const float> weight, const LinearName&) {
            return DenseLinear<float>(weight);
          },
          {.activations = bits}};
}

constexpr ZeroPointMode both[] = {ZeroPointMode::real, ZeroPointMode::integer};

LlamaConfig with_heads_of(std::size_t head_dim) {
  LlamaConfig config = test::tiny_config();
  config.head_dim = head_dim;
  return config;
}

}  // namespace

TEST_CASE("QuantizedKvCache: what is read is what was quantized", "[nn]") {
  const test::MachineSettings settings;
  for (const auto isa : test::isas_of_machine())
    for (const std::size_t head_dim : {2u, 6u, 16u, 34u})
      for (const int bits : {4, 8})
        for (const ZeroPointMode mode : both) {
          kernel::set_active_isa(isa);
          const LlamaConfig config = with_heads_of(head_dim);
          const ActivationBits how{{bits, mode}, {}};
          QuantizedKvCache cache(config, how, 150);
          Tensor<float> key(140, cache.width(), head_dim, 2.0), value(140, cache.width(), 1, 1.0);
          const auto part = [&](Tensor<float>& all, std::size_t row, std::size_t rows) {
            return all.view().block(row, 0, rows, all.cols);
          };
          for (const std::size_t layer : {1u, 0u}) cache.write(layer, part(key, 0, 3), part(value, 0, 3));
          cache.append(3);
          cache.write(1, part(key, 3, 137), part(value, 3, 137));
          cache.append(137);
          quantize_heads(how.cache, head_dim, key.view(), {});
          quantize_heads(how.cache, head_dim, value.view(), {});
          for (std::size_t head = 0; head < config.kv_heads; ++head)
            for (const std::size_t first : {0u, 5u, 139u}) {
              const std::size_t count = std::min<std::size_t>(64, 140 - first);
              Tensor<float> keys(head_dim, count), values(count, head_dim);
              cache.read_key_columns(1, head, first, keys.view());
              cache.read_values(1, head, first, values.view());
              bool same = true;
              for (std::size_t r = 0; r < count; ++r)
                for (std::size_t d = 0; d < head_dim; ++d)
                  same = same &&
                         keys.view()(d, r) == key.view()(first + r, head * head_dim + d) &&
                         values.view()(r, d) == value.view()(first + r, head * head_dim + d);
              CHECK(same);
            }
          Tensor<float> before(3, head_dim);
          cache.read_values(0, 1, 0, before.view());
          CHECK(before.view()(2, 1) == value.view()(2, head_dim + 1));
        }
}

TEST_CASE("QuantizedKvCache: bytes are those of codes, scales and zero points", "[nn]") {
  const LlamaConfig config = with_heads_of(64);
  constexpr std::size_t heads = 2 * 2 * 2 * 100;  // layers, keys and values, kv heads, tokens
  CHECK(QuantizedKvCache(config, {{8}, {}}, 100).bytes() == heads * (64 + 4 + 4));
  CHECK(QuantizedKvCache(config, {{4}, {}}, 100).bytes() == heads * (32 + 4 + 4));
  CHECK(QuantizedKvCache(config, {{4, ZeroPointMode::integer}, {}}, 100).bytes() ==
        heads * (32 + 4 + 1));
  CHECK(KvCache<float>(config, 100).bytes() == heads * 256);
  CHECK(QuantizedKvCache(config, {{4}, {}}).capacity() == config.context);
}

TEST_CASE("generation: from codes, the logits of the whole sequence to the bit", "[nn]") {
  const test::MachineSettings settings;
  constexpr std::size_t length = 100;
  const auto check = [&](Model model) {
    const ActivationBits& bits = model.options().activations;
    const auto tokens = test::random_tokens(length, model.config().vocab, 3);
    Tensor<float> whole(length, model.config().vocab);
    model.forward(tokens, 1, length, whole.view());
    const auto check_cache = [&](auto cache, std::size_t prompt) {
      INFO(bits.cache.bits << " and " << bits.rotated.bits << " bits, prompt of " << prompt);
      auto logits = model.prefill(std::span(tokens).first(prompt), cache);
      bool same = true;
      for (std::size_t t = prompt - 1;; logits = model.step(tokens[++t], cache)) {
        const auto wanted = whole.view().row(t);
        same = same && std::equal(wanted.begin(), wanted.end(), logits.begin(), logits.end());
        if (t + 1 == length) break;
      }
      CHECK(same);
      CHECK(cache.length() == length);
    };
    for (const std::size_t prompt : {1u, 63u, 99u}) {
      check_cache(QuantizedKvCache(model.config(), bits, length), prompt);
      check_cache(KvCache<float>(model.config(), length), prompt);
    }
  };
  for (const ZeroPointMode mode : both) {
    check(model_with({{8, mode}, {8, mode}}));
    check(model_with({{4, mode}, {8, mode}}));
    check(model_with({{4, mode}, {4, mode}}, with_heads_of(18)));
  }
  check(model_with({{4}, {}}));
  for (const auto isa : test::isas_of_machine())
    for (const int threads : test::thread_counts({1, 3})) {
      kernel::set_active_isa(isa);
      set_thread_count(threads);
      check(model_with({{4}, {8}}));
    }
}

TEST_CASE("QuantizedKvCache: a head with what is no number is NaN as a whole", "[nn]") {
  for (const float bad : {std::nanf(""), std::numeric_limits<float>::infinity()})
    for (const ZeroPointMode mode : both) {
      const LlamaConfig config = with_heads_of(4);
      QuantizedKvCache cache(config, {{8, mode}, {}}, 2);
      Tensor<float> key(2, 8, 1, 1.0), value(2, 8, 2, 1.0), columns(4, 2), rows(2, 4);
      key.values[6] = value.values[8] = bad;
      cache.write(0, key.view(), value.view());
      cache.read_key_columns(0, 1, 0, columns.view());
      for (std::size_t i = 0; i < 8; ++i) CHECK(std::isnan(columns.values[i]) == (i % 2 == 0));
      cache.read_key_columns(0, 0, 0, columns.view());
      for (const float number : columns.values) CHECK(std::isfinite(number));
      cache.read_values(0, 0, 0, rows.view());
      for (std::size_t i = 0; i < 8; ++i) CHECK(std::isnan(rows.values[i]) == (i >= 4));
    }
}

TEST_CASE("QuantizedKvCache: errors", "[nn]") {
  const LlamaConfig config = test::tiny_config();
  CHECK_THROWS_WITH(QuantizedKvCache(config, {}), Catch::Contains("0 bits, it stores 4 or 8"));
  CHECK_THROWS_WITH(QuantizedKvCache(config, {{6}, {}}), Catch::Contains("6 bits"));
  QuantizedKvCache cache(config, {{4}, {8}}, 3);
  Tensor<float> key(4, 8), narrow(1, 7), odd(1, 3);
  CHECK_THROWS_WITH(cache.write(0, key.view(), key.view()), Catch::Contains("0 + 4 tokens"));
  CHECK_THROWS_WITH(cache.write(0, narrow.view(), narrow.view()), Catch::Contains("(1, 7)"));
  CHECK_THROWS_WITH(cache.write(2, key.view(), key.view()), Catch::Contains("layer 2 of 2"));
  CHECK_THROWS_WITH(cache.append(4), Catch::Contains("there is room for 3"));
  CHECK_THROWS_WITH(cache.read_values(0, 0, 0, odd.view()),
                    Catch::Contains("room for 3 numbers"));
  CHECK_THROWS_WITH(cache.read_key_columns(0, 0, 0, key.view().block(0, 0, 3, 3)),
                    Catch::Contains("room for 3 numbers"));

  const std::vector<std::uint16_t> tokens{1, 2, 3, 4};
  Model model = model_with({{4}, {8}});
  CHECK_THROWS_WITH(model.prefill(tokens, cache), Catch::Contains("0 + 4 tokens"));
  CHECK_THROWS_WITH(model.prefill({}, cache), Catch::Contains("no token"));
  model.step(1, cache);
  CHECK(cache.length() == 1);
  cache.clear();
  CHECK(cache.length() == 0);
  QuantizedKvCache eight(config, {{8}, {8}}), whole(config, {{4, ZeroPointMode::integer}, {8}});
  CHECK_THROWS_WITH(model.step(1, eight), Catch::Contains("the cache has 8 bits"));
  CHECK_THROWS_WITH(model.step(1, whole), Catch::Contains("zero points"));
  Model plain = model_with({});
  CHECK_THROWS_WITH(plain.step(1, cache), Catch::Contains("the model's keys and values 0"));
  auto deep = config;
  deep.layers = 3;
  QuantizedKvCache other(deep, {{4}, {8}});
  CHECK_THROWS_WITH(model.step(1, other), Catch::Contains("3 layers"));
}
