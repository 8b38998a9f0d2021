// SPDX-License-Identifier: MIT
// tests/nn/calibration.test.cpp: what observed layers of a LLaMA record.
#include <lrqat/nn/calibration.hpp>

#include <lrqat/linear/dense_linear.hpp>

#include <catch2/catch.hpp>
#include <support/tiny_llama.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

namespace lrqat::test {
namespace {

using Catch::Matchers::Contains;
using Model = Llama<DenseLinear<float>>;

Model dense(const LlamaWeights& weights) {
  return {weights,
          [](MatrixView<const float> weight, const LinearName&) { return DenseLinear<float>(weight); }};
}

bool same(const InputStatistics& a, const InputStatistics& b) {
  const std::size_t in = a.in_features();
  return a.tokens() == b.tokens() && in == b.in_features() && a.max_abs() == b.max_abs() &&
         a.mean_abs() == b.mean_abs() &&
         (!a.has_gram() || std::equal(a.gram().data, a.gram().data + in * in, b.gram().data));
}

TEST_CASE("calibrate: the first layer sees the embedding behind its norm", "[nn]") {
  const LlamaWeights weights = random_llama(tiny_config(), 5);
  const LlamaConfig& config = weights.config;
  const auto tokens = random_tokens(5 * 16 + 1, config.vocab, 3);
  const Calibration found = calibrate(dense(weights), tokens);
  InputStatistics wanted(config.dim);
  AlignedVector<float> x(80 * config.dim), y(x.size()), inverse(80);
  for (std::size_t t = 0; t < 80; ++t)
    std::copy_n(&weights.embedding[tokens[t] * config.dim], config.dim, &x[t * config.dim]);
  const MatrixView<float> normed(y.data(), 80, config.dim);
  rms_norm_forward<float>(MatrixView<const float>(x.data(), 80, config.dim),
                          weights.blocks[0].attention_norm, config.norm_eps, normed, inverse);
  wanted.add(normed);
  for (const LinearKind kind : {LinearKind::query, LinearKind::key, LinearKind::value})
    CHECK(same(found.inputs({0, kind}), wanted));
}

TEST_CASE("calibrate: each input once, of the model as it is", "[nn]") {
  const LlamaConfig config = tiny_config();
  Model model = dense(random_llama(config, 5));
  const auto tokens = random_tokens(7 * 16 + 1, config.vocab, 4);
  CalibrationOptions options;
  options.text.at_once = 3;
  const Calibration found = calibrate(model, tokens, options);
  for (std::size_t b = 0; b < config.layers; ++b)
    for (const LinearKind kind : linear_kinds) {
      const InputStatistics& inputs = found.inputs({b, kind});
      CHECK(inputs.tokens() == 7 * 16);
      CHECK(inputs.in_features() == linear_shape(config, kind).cols);
      for (const double mean : inputs.mean_abs()) CHECK(mean > 0);
    }
  CHECK(&found.inputs({1, LinearKind::gate}) == &found.inputs({1, LinearKind::up}));
  CHECK(&found.inputs({1, LinearKind::query}) == &found.inputs({1, LinearKind::value}));
  CHECK(&found.inputs({1, LinearKind::output}) != &found.inputs({1, LinearKind::down}));
  CHECK(found.perplexity.nll == perplexity(model, tokens, options.text).nll);
}

TEST_CASE("calibrate: the same bits for any number of threads", "[nn]") {
  const Model model = dense(random_llama(tiny_config(), 5));
  const auto tokens = random_tokens(9 * 16 + 1, 19, 4);
  const int before = thread_count();
  set_thread_count(1);
  const Calibration alone = calibrate(model, tokens);
#if defined(_OPENMP)
  set_thread_count(3);
#endif
  const Calibration together = calibrate(model, tokens);
  set_thread_count(before);
  for (const LinearKind kind : linear_kinds)
    CHECK(same(alone.inputs({1, kind}), together.inputs({1, kind})));
}

TEST_CASE("calibrate: one block, or no Gram matrices, to save memory", "[nn]") {
  const Model model = dense(random_llama(tiny_config(), 5));
  const auto tokens = random_tokens(2 * 16 + 1, 19, 4);
  const Calibration all = calibrate(model, tokens);
  CalibrationOptions options;
  options.block = 1;
  const Calibration one = calibrate(model, tokens, options);
  CHECK(same(one.inputs({1, LinearKind::down}), all.inputs({1, LinearKind::down})));
  CHECK_THROWS_WITH(one.inputs({0, LinearKind::gate}), Contains("no statistics of blocks.0.gate"));
  options.block = 2;
  CHECK_THROWS_WITH(calibrate(model, tokens, options), Contains("block 2 of a model of 2"));
  options = {};
  options.gram = GramMatrix::left_out;
  const Calibration plain = calibrate(model, tokens, options);
  CHECK(plain.inputs({0, LinearKind::up}).mean_abs() == all.inputs({0, LinearKind::up}).mean_abs());
  CHECK_FALSE(plain.inputs({0, LinearKind::up}).has_gram());
  CHECK_THROWS_WITH(all.inputs({2, LinearKind::up}), Contains("blocks.2.up"));
}

TEST_CASE("calibrate: a model that gives no numbers is refused", "[nn]") {
  LlamaWeights weights = random_llama(tiny_config(), 5);
  weights.blocks[1].mlp_norm[3] = std::nanf("");
  const auto tokens = random_tokens(17, 19, 4);
  CHECK_THROWS_WITH(calibrate(dense(weights), tokens), Contains("input 3 of token 0 is nan"));
  CHECK_THROWS_WITH(calibrate(dense(random_llama(tiny_config(), 5)), std::span(tokens).first(9)),
                    Contains("perplexity: 9 tokens"));
}

}  // namespace
}  // namespace lrqat::test
