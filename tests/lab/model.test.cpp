// SPDX-License-Identifier: MIT
// tests/lab/model.test.cpp: what a scheme makes of a model: layers, bits, memory.
#include "lab/model.hpp"

#include "lab/layer_factory.hpp"
#include "lab/memory.hpp"
#include "lab/pretrain.hpp"
#include "lab/scheme_names.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace lrqat;
using namespace lrqat::lab;

namespace {

/// The shape of stories260K.
const LlamaConfig shape{.dim = 64,
                        .hidden_dim = 172,
                        .layers = 5,
                        .heads = 8,
                        .kv_heads = 4,
                        .head_dim = 8,
                        .vocab = 512,
                        .context = 512};

double bits(const char* scheme) { return bits_per_weight(shape, parse_scheme(scheme)); }

}  // namespace

TEST_CASE("Bits per weight: a 16-bit scale for each group, as the reference table counts",
          "[lab]") {
  CHECK(bits("w4-pc-rtn") == Approx(4.212).margin(5e-4));
  CHECK(bits("w4-g64-rtn") == Approx(4.257).margin(5e-4));
  CHECK(bits("w2-g32-q2.6-r8") == Approx(2.514).margin(5e-4));
  CHECK(bits("w3-pt-lsq") == Approx(3 + 16 * 35 / 226560.0));
  CHECK(bits("u4-pc-peqa") == Approx(4 + 20 * 3000 / 226560.0));
  CHECK(bits("fp32-tuned") == 32);
}

TEST_CASE("Groups that do not divide a row: a shorter last one, or one scale for the row",
          "[lab]") {
  CHECK(scale_count(parse_scheme("w4-g32-rtn"), {10, 172}) == 60);
  CHECK(scale_count(parse_scheme("w4-g32c-rtn"), {10, 172}) == 10);
  CHECK(scale_count(parse_scheme("w4-g32c-rtn"), {10, 64}) == 20);
  CHECK(scale_count(parse_scheme("w4-g300c-rtn"), {10, 172}) == 10);
  CHECK_THROWS_AS(scale_count(parse_scheme("w4-g300-rtn"), {10, 172}), Error);
}

TEST_CASE("Fingerprint: it tells rotary scalings apart, but not two spellings of one", "[lab]") {
  LlamaWeights weights = random_weights(shape, 1);
  const auto with = [&](const RopeScaling& scaling) {
    weights.config.rope_scaling = scaling;
    return fingerprint_of(weights);
  };
  const Llama3RopeScaling llama3{.original_context = 64};
  CHECK(with(llama3) == with(RopeDivisors{rope_divisors(llama3, shape.head_dim, 1e4)}));
  CHECK(with(llama3) != with({}));
  CHECK(with(llama3) != with(LinearRopeScaling{8.0f}));
  CHECK(with(LinearRopeScaling{8.0f}) != with(LinearRopeScaling{4.0f}));
}

TEST_CASE("make_layer: every method, grid and sharing gives a layer that merges exactly", "[lab]") {
  const LlamaWeights weights = random_weights({.dim = 16,
                                               .hidden_dim = 24,
                                               .layers = 1,
                                               .heads = 2,
                                               .kv_heads = 2,
                                               .head_dim = 8,
                                               .vocab = 8,
                                               .context = 8},
                                              1);
  const MatrixView<const float> weight(weights.blocks[0].gate.data(), 24, 16);
  std::vector<float> x(3 * 16), y(3 * 24), merged(y);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = weights.embedding[i];
  const MatrixView<const float> input(x.data(), 3, 16);
  for (int bits = 2; bits <= 8; ++bits)
    for (const char grid : {'w', 'u'})
      for (const char* sharing : {"-pt-", "-pc-", "-g5-"})
        for (const std::string& method :
             {std::string("peqa"), std::string("lsq"), std::string("wd-r2"), std::string("bf16-r2"),
              std::string("fp32-r2"), joined("int", bits, "-r2"),
              joined("q", bits, ".", 8 - bits, "-r2")}) {
          const std::string name = joined(grid, bits, sharing, method);
          CAPTURE(name);
          AnyLinear layer = make_layer(parse_scheme(name), weight, {.seed = 1});
          // Adapters that start at A B = 0 would hide a merge that forgets them.
          for (const Parameter<float>& parameter : layer.parameters())
            if (parameter.name == "A")
              for (std::size_t i = 0; i < parameter.value.size(); ++i)
                parameter.value[i] = 0.5f * x[i % x.size()];
          layer.forward(input, {y.data(), 3, 24});
          layer.merge().forward(input, {merged.data(), 3, 24});
          CHECK(y == merged);
        }
}

TEST_CASE("make_layer: quantized inputs stand around the layer, merged or not", "[lab]") {
  const LlamaWeights weights = random_weights(shape, 1);
  const MatrixView<const float> weight(weights.blocks[0].gate.data(), 172, 64);
  const MatrixView<const float> x(weights.embedding.data(), 3, 64);
  std::vector<float> x_hat(3 * 64), y(3 * 172), wanted(y);
  for (const bool real : {false, true}) {
    const AnyInput input{4, real ? ZeroPointMode::real : ZeroPointMode::integer};
    for (std::size_t t = 0; t < 3; ++t)
      input.forward(x.row(t), std::span(x_hat).subspan(t * 64, 64));
    for (const char* method : {"-pc-rtn", "-g32-q4.4-r2", "-pc-lsq"}) {
      const std::string activations = real ? "a4r" : "a4";
      const AnyLinear plain = make_layer(parse_scheme(joined("w4", method)), weight, {.seed = 1});
      AnyLinear layer =
          make_layer(parse_scheme(joined("w4", activations, method)), weight, {.seed = 1});
      plain.forward({x_hat.data(), 3, 64}, {wanted.data(), 3, 172});
      layer.forward(x, {y.data(), 3, 172});
      CHECK(y == wanted);
    }
  }
  CHECK(activation_bits(parse_scheme("w4a8kv4-pc-rtn")) ==
        ActivationBits{{4, ZeroPointMode::integer}, {8, ZeroPointMode::integer}});
  CHECK(activation_bits(parse_scheme("w4a8r-pc-rtn")) == ActivationBits{{8}, {8}});
  CHECK_FALSE(activation_bits(parse_scheme("w4kv4-pc-rtn")).rotated.quantizes());
  CHECK_FALSE(activation_bits(parse_scheme("w4-pc-rtn")).cache.quantizes());
}

TEST_CASE("Peak bytes: what layers and moments take, and some working memory", "[lab]") {
  const LlamaWeights weights = random_weights(shape, 1);
  const auto peak = [&](const char* scheme, std::size_t& at_least) {
    Model model = make_model(weights, {.scheme = parse_scheme(scheme)});
    at_least = 8 * trained_numbers(model);
    model.for_each_linear(
        [&](const LinearName&, const AnyLinear& layer) { at_least += layer.bytes().total(); });
    return linear_peak_bytes(model, 1024);
  };
  std::size_t adapter = 0, full = 0;
  const std::size_t adapter_peak = peak("w4-pc-q4.4-r8", adapter),
                    full_peak = peak("w4-pc-lsq", full);
  // One byte a weight, and value, gradient and two moments of each of 49,240 trained numbers.
  CHECK(adapter == 226560 + 4 * 4 * 49240);
  CHECK(full == 4 * 4 * 229560);
  CHECK(adapter_peak > adapter);
  CHECK(full_peak > full);
  // A few tiles for each thread, nothing that grows with the model.
  CHECK(adapter_peak < adapter + 4'000'000);
  CHECK(full_peak > adapter_peak);
}
