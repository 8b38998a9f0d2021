// SPDX-License-Identifier: MIT
// tests/lab/integer_layer.test.cpp: merged layers in integers compute what the simulated ones do.
#include "lab/integer_layer.hpp"

#include "lab/layer_factory.hpp"
#include "lab/pretrain.hpp"
#include "lab/scheme_names.hpp"

#include <catch2/catch.hpp>

#include <cmath>
#include <string>
#include <vector>

using namespace lrqat;
using namespace lrqat::lab;
using Catch::Matchers::Contains;

namespace {

const LlamaConfig model_shape{.dim = 64,
                              .hidden_dim = 172,
                              .layers = 1,
                              .heads = 8,
                              .kv_heads = 4,
                              .head_dim = 8,
                              .vocab = 32,
                              .context = 16};

bool in_codes(const char* scheme) { return has_integer_products(parse_scheme(scheme)); }

}  // namespace

TEST_CASE("Integer products: of inputs with integer zero points, on the kernels' widths", "[lab]") {
  for (const char* scheme : {"w2a4-pc-rtn", "w3a8kv4-pc-peqa", "u4a8-g32-rtn", "w8a8-pc-rtn"})
    CHECK(in_codes(scheme));
  for (const char* scheme : {"w4a8r-pc-rtn", "w4kv4-pc-rtn", "w4-pc-rtn", "w5a8-pc-rtn", "fp32"})
    CHECK_FALSE(in_codes(scheme));
}

TEST_CASE("integer_layer: the simulated outputs but for the order of float sums", "[lab]") {
  const LlamaWeights weights = random_weights(model_shape, 1);
  constexpr std::size_t tokens = 5, in = 64, out = 172;
  const MatrixView<const float> weight(weights.blocks[0].gate.data(), out, in);
  const MatrixView<const float> x(weights.embedding.data(), tokens, in);
  std::vector<float> simulated(tokens * out), integer(simulated);
  for (const char* sharing : {"-pc-rtn", "-g32-rtn"})
    for (const std::string widths : {"w2a8", "u3a4", "w4a8", "u4a8", "w4a4", "w8a8"}) {
      const std::string name = widths + sharing;
      CAPTURE(name);
      const Scheme scheme = parse_scheme(name), plain = parse_scheme(widths.substr(0, 2) + sharing);
      const AnyInput input = input_of(scheme, scheme.activation_bits);
      const AnyLinear merged = make_layer(plain, weight, {});
      make_layer(scheme, weight, {}).forward(x, {simulated.data(), tokens, out});
      integer_layer(merged.merged_weight(), input).forward(x, {integer.data(), tokens, out});
      const AlignedVector<float> w = merged.weight();
      std::vector<float> x_hat(in);
      for (std::size_t t = 0; t < tokens; ++t) {
        input.forward(x.row(t), x_hat);
        for (std::size_t i = 0; i < out; ++i) {
          double size = 0;
          for (std::size_t j = 0; j < in; ++j)
            size += std::fabs(static_cast<double>(x_hat[j]) * static_cast<double>(w[i * in + j]));
          // As in tests/linear/merged_int8.test.cpp: at most in + groups + 5 roundings.
          const double difference = std::fabs(static_cast<double>(simulated[t * out + i]) -
                                              static_cast<double>(integer[t * out + i]));
          REQUIRE(difference <= (in + 2 + 5) * 1.01 * 0x1p-24 * size);
        }
      }
    }
}

TEST_CASE("in_integers: every layer of a model; what has no codes is refused", "[lab]") {
  const LlamaWeights weights = random_weights(model_shape, 3);
  const Scheme scheme = parse_scheme("w4a8-pc-rtn"), plain = parse_scheme("w4-pc-rtn");
  const Model model = in_integers(make_model(weights, {.scheme = scheme}));
  CHECK(model.options().activations == activation_bits(scheme));
  constexpr std::size_t tokens = 3;
  std::vector<float> x(tokens * model_shape.hidden_dim);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = weights.embedding[i % 2000];
  model.for_each_linear([&](const LinearName& which, const AnyLinear& layer) {
    CAPTURE(which.text());
    const std::size_t in = layer.in_features(), out = layer.out_features();
    const MatrixView<const float> weight(linear_weight(weights.blocks[0], which.kind).data(), out,
                                         in);
    const AnyLinear wanted =
        integer_layer(make_layer(plain, weight, {}).merged_weight(), {8, ZeroPointMode::integer});
    std::vector<float> y(tokens * out), wanted_y(y);
    layer.forward({x.data(), tokens, in}, {y.data(), tokens, out});
    wanted.forward({x.data(), tokens, in}, {wanted_y.data(), tokens, out});
    CHECK(y == wanted_y);
  });

  CHECK_THROWS_WITH(in_integers(make_model(weights, {.scheme = plain})),
                    Contains("blocks.0.query") && Contains("not quantized"));
  const AnyLinear layer =
      make_layer(parse_scheme("w5-pc-rtn"), {weights.blocks[0].gate.data(), 172, 64}, {});
  CHECK_THROWS_WITH(integer_layer(layer.merged_weight(), {8, ZeroPointMode::integer}),
                    Contains("not for 5"));
  CHECK_THROWS_WITH(integer_layer(layer.merged_weight(), {8, ZeroPointMode::real}),
                    Contains("real"));
}
