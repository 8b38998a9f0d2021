// SPDX-License-Identifier: MIT
// tests/nn/post_training.test.cpp: calibrated methods on a real checkpoint.
#include <lrqat/nn/calibration.hpp>

#include <lrqat/grid/uint.hpp>
#include <lrqat/initializer/awq.hpp>
#include <lrqat/initializer/eigen/gptq_factor.hpp>
#include <lrqat/io/llama2c.hpp>
#include <lrqat/io/token_stream.hpp>
#include <lrqat/linear/dense_linear.hpp>
#include <lrqat/nn/fold.hpp>

#include <catch2/catch.hpp>
#include <support/data.hpp>

#include <vector>

namespace lrqat::test {
namespace {

using Model = Llama<DenseLinear<float>>;
using View = MatrixView<const float>;

View view_of(const LlamaWeights& weights, const LinearName& which) {
  const Shape shape = linear_shape(weights.config, which.kind);
  return {linear_weight(weights.blocks[which.block], which.kind).data(), shape.rows, shape.cols};
}

/// The model with each linear weight as `change` gives it, a WeightOnGrid.
template <class Change>
Model changed(const LlamaWeights& weights, const Change& change) {
  DenseOptions frozen;
  frozen.training = Training::frozen;
  return {weights, [&](View weight, const LinearName& which) {
            return DenseLinear<float>(change(weight, which).weight(), frozen);
          }};
}
Model unchanged(const LlamaWeights& weights) {
  DenseOptions frozen;
  frozen.training = Training::frozen;
  return {weights,
          [&](View weight, const LinearName&) { return DenseLinear<float>(weight, frozen); }};
}

/// AWQ's scales in front of every norm and of down.
template <class G>
LlamaWeights awq_scaled(LlamaWeights weights, const Calibration& calibration) {
  const LlamaWeights before = weights;
  for (std::size_t b = 0; b < weights.config.layers; ++b) {
    const auto scale = [&](const std::vector<LinearKind>& kinds) {
      std::vector<View> views;
      for (const LinearKind kind : kinds) views.push_back(view_of(before, {b, kind}));
      return awq_scale<G>(views, calibration.inputs({b, kinds[0]})).scale;
    };
    fold_into_attention_norm(weights.blocks[b],
                             scale({LinearKind::query, LinearKind::key, LinearKind::value}));
    fold_into_mlp_norm(weights.blocks[b], scale({LinearKind::gate, LinearKind::up}));
    fold_into_up(weights.config, weights.blocks[b], scale({LinearKind::down}));
  }
  return weights;
}

TEST_CASE("stories260K in 3 bits per channel: GPTQ and AWQ are better than round to nearest",
          "[nn]") {
  const auto data = data_folder();
  if (!data) return;
  using G = UInt<3>;
  const LlamaWeights weights = read_llama2c(*data / "tinyllamas/stories260K.bin");
  const auto text = [&](const char* name) {
    return read_token_stream(*data / "tokens/stories260K" / name, weights.config.vocab);
  };
  const auto train = text("ts3000-train.u16"), test = text("ts3000-test.u16");
  const auto perplexity_of = [&](Model model) {
    PerplexityOptions options;
    options.windows = 8;
    return perplexity(model, test, options).perplexity;
  };
  CalibrationOptions options;
  options.text.windows = 8;
  const Calibration calibration = calibrate(unchanged(weights), train, options);

  const auto rtn = [](View weight, const LinearName&) { return round_to_nearest<G>(weight); };
  const double by_rtn = perplexity_of(changed(weights, rtn));
  const double by_gptq = perplexity_of(changed(weights, [&](View weight, const LinearName& which) {
    return gptq<G>(weight, gptq_factor(calibration.inputs(which)));
  }));
  const LlamaWeights scaled = awq_scaled<G>(weights, calibration);
  const Calibration behind = calibrate(unchanged(scaled), train, options);
  const double by_scale = perplexity_of(changed(scaled, rtn));
  const double by_awq = perplexity_of(changed(scaled, [&](View weight, const LinearName& which) {
    return which.kind == LinearKind::query || which.kind == LinearKind::key
               ? round_to_nearest<G>(weight)
               : awq_clip<G>(weight, behind.inputs(which));
  }));
  CAPTURE(by_rtn, by_gptq, by_scale, by_awq);
  CHECK(by_gptq < by_rtn);
  CHECK(by_scale < by_rtn);
  CHECK(by_awq < by_scale);
  CHECK(perplexity_of(unchanged(weights)) < by_awq);
}

}  // namespace
}  // namespace lrqat::test
