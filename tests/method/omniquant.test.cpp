// SPDX-License-Identifier: MIT
// tests/method/omniquant.test.cpp: learned weight clipping, from its start to its codes.
#include <lrqat/method/omniquant.hpp>

#include <lrqat/linear/dense_linear.hpp>
#include <lrqat/method/peqa.hpp>
#include <lrqat/train/block_reconstruction.hpp>

#include <linear/merge_check.hpp>
#include <support/tiny_llama.hpp>

#include <concepts>

namespace lrqat::test::omniquant_cases {
namespace {

using Layer = method::OmniQuant<3, PerGroup<8>>;
static_assert(std::same_as<Layer, QuantLinear<UInt<3>, PerGroup<8>, Dense<float>, NoAdapter,
                                              WeightDomain, StraightThrough, MinMax, ClipsOnly>>);

const Matrix weight = random_matrix(13, 29, 0.3f, 1);

TEST_CASE("OmniQuant: the first range is 0.982 of the whole; on the whole it rounds to nearest",
          "[method]") {
  Layer layer(weight.view());
  const QuantLinear<UInt<3>, PerGroup<8>, ScaleOnly> nearest(weight.view());
  for (std::size_t cell = 0; cell < layer.weight().layout().size(); ++cell)
    CHECK(layer.weight().used_scale(cell) / nearest.weight().used_scale(cell) ==
          Approx(0.98201379));
  CHECK(weight_of(layer).values != weight_of(nearest).values);
  for (const Parameter<float>& each : layer.parameters()) {
    CHECK(each.role == Role::clip);
    std::fill(each.value.begin(), each.value.end(), 30.0f);
  }
  CHECK(weight_of(layer).values == weight_of(nearest).values);
}

TEST_CASE("OmniQuant: merged layers have the same bits", "[method]") {
  check_merge<Layer>(13, 29);
  check_merge<method::OmniQuant<2, Dense<bf16>, PerTensor, Fp16Scale>>(17, 33);
  check_merge<method::OmniQuantLet<4>>(17, 33);
}

TEST_CASE("OmniQuant: from learned clips to trained scales the integers stay", "[method]") {
  using Second = method::Peqa<UInt<3>, PerGroup<8>>;
  const auto first = trained_layer<Layer>(13, 29);
  const auto second = first.convert_to<Second>();
  CHECK(levels_of(second) == levels_of(first));
  CHECK(weight_of(second).values == weight_of(first).values);
  CHECK(second.bytes().base < first.bytes().base);
  CHECK(first.bytes().scales == 13 * 4 * 4 * sizeof(float));
}

TEST_CASE("OmniQuant: blocks come nearer to their twins, weights stay", "[method]") {
  using TwoBits = method::OmniQuant<2>;
  const LlamaWeights weights = random_llama(tiny_config(), 3);
  const auto tokens = random_tokens(6 * 5, 19, 4);
  Llama<TwoBits> model(
      weights, [](MatrixView<const float> w, const LinearName&) { return TwoBits(w); });
  Llama<DenseLinear<float>> exact(weights, [](MatrixView<const float> w, const LinearName&) {
    return DenseLinear<float>(w, {Training::frozen});
  });
  const LinearName some{1, LinearKind::gate};
  const auto base = [&] { return model.linear(some).weight().base(); };
  const std::vector<std::byte> before(base().begin(), base().end());
  const std::vector<int> levels = levels_of(model.linear(some));
  ReconstructionPlan plan;
  plan.epochs = 20;
  plan.batch = 2;
  plan.optimizer.learning_rate = 0;
  plan.optimizer.rules = {{Role::clip, 2e-2}};
  for (const BlockErrors& each : reconstruct_blocks(model, exact, tokens, 5, plan)) {
    INFO("block " << each.block << ": " << each.before << " -> " << each.after);
    CHECK(each.after < 0.97 * each.before);
  }
  CHECK(std::equal(before.begin(), before.end(), base().begin(), base().end()));
  CHECK(levels_of(model.linear(some)) != levels);
}

}  // namespace
}  // namespace lrqat::test::omniquant_cases
