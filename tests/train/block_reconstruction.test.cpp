// SPDX-License-Identifier: MIT
// tests/train/block_reconstruction.test.cpp: blocks learn their exact twins' outputs.
#include <lrqat/train/block_reconstruction.hpp>

#include <lrqat/grid/int.hpp>
#include <lrqat/linear/dense_linear.hpp>
#include <lrqat/method/efficient_qat.hpp>

#include <catch2/catch.hpp>
#include <support/machine.hpp>
#include <support/matrix.hpp>
#include <support/tiny_llama.hpp>

namespace lrqat::test {
namespace {

using Catch::Matchers::Contains;
using Quantized = method::BlockAp<2, 4>;
using Exact = DenseLinear<float>;

constexpr std::size_t length = 5, sequences = 6;
const LlamaWeights weights = random_llama(tiny_config(), 3);
const std::vector<std::uint16_t> tokens = random_tokens(length * sequences, 19, 4);

template <class Linear>
Llama<Linear> model_of(const LlamaWeights& from) {
  return Llama<Linear>(
      from, [](MatrixView<const float> weight, const LinearName&) { return Linear(weight); });
}

ReconstructionPlan plan_of(std::size_t epochs, std::size_t batch, double rate) {
  ReconstructionPlan plan;
  plan.epochs = epochs;
  plan.batch = batch;
  plan.optimizer.learning_rate = rate;
  return plan;
}

TEST_CASE("Block reconstruction: one small step does not raise the error of any block", "[train]") {
  auto model = model_of<Quantized>(weights);
  auto exact = model_of<Exact>(weights);
  const auto errors = reconstruct_blocks(model, exact, tokens, length, plan_of(1, sequences, 1e-5));
  REQUIRE(errors.size() == 2);
  for (const BlockErrors& each : errors) {
    INFO("block " << each.block << ": " << each.before << " -> " << each.after);
    CHECK(each.before > 0);
    CHECK(each.after <= each.before);
  }
}

TEST_CASE("Block reconstruction: measured scales follow their weights", "[train]") {
  using Measured = QuantLinear<Int<3>, FullRank, WeightDomain, MeasuredScale>;
  auto model = model_of<Measured>(weights);
  auto exact = model_of<Exact>(weights);
  const LinearName first{0, LinearKind::query};
  const auto scales = [](const Measured& layer) {
    return std::vector<float>(layer.weight().scales().begin(), layer.weight().scales().end());
  };
  const std::vector<float> before = scales(model.linear(first));
  reconstruct_blocks(model, exact, tokens, length, plan_of(2, sequences, 1e-2));
  Measured measured = model.linear(first);
  measured.after_step();
  CHECK(scales(model.linear(first)) == scales(measured));
  CHECK(scales(measured) != before);
}

TEST_CASE("Block reconstruction: training lowers the error of every block", "[train]") {
  auto model = model_of<Quantized>(weights);
  auto exact = model_of<Exact>(weights);
  std::vector<std::size_t> told;
  const auto errors =
      reconstruct_blocks(model, exact, tokens, length, plan_of(40, 2, 5e-3),
                         [&](const BlockErrors& each) { told.push_back(each.block); });
  CHECK(told == std::vector<std::size_t>{0, 1});
  for (const BlockErrors& each : errors) {
    INFO("block " << each.block << ": " << each.before << " -> " << each.after);
    CHECK(each.after < 0.5 * each.before);
  }
}

TEST_CASE("Block reconstruction: twins have no error and stay as they are", "[train]") {
  auto model = model_of<Exact>(weights), exact = model_of<Exact>(weights);
  ReconstructionPlan plan = plan_of(3, 2, 1e-2);
  for (const BlockErrors& each : reconstruct_blocks(model, exact, tokens, length, plan)) {
    CHECK(each.before == 0);
    CHECK(each.after == 0);
  }
  for (const LinearKind kind : linear_kinds)
    for (std::size_t b = 0; b < 2; ++b) {
      const auto own = model.linear({b, kind}).weight(), other = exact.linear({b, kind}).weight();
      CHECK(std::equal(own.data, own.data + own.shape().size(), other.data));
    }
}

TEST_CASE("Block reconstruction: a block sees what the trained ones before it give", "[train]") {
  LlamaWeights spoiled = weights;  // in the first block alone
  for (float& w : spoiled.blocks[0].down) w *= 1.5f;
  auto model = model_of<Exact>(spoiled), exact = model_of<Exact>(weights);
  BlockReconstruction<Exact, Exact> run(model, exact, tokens, length);
  const double first = run.error();
  CHECK(first > 0);
  run.advance();
  CHECK(run.block() == 1);
  const double second = run.error();  // its weights are exact, its inputs are not
  CHECK(second > 0);
  CHECK(run.train(plan_of(60, 3, 3e-3)).after < second);
  run.advance();
  CHECK(run.is_done());
  CHECK_THROWS_WITH(run.error(), Contains("2 blocks are done"));
}

TEST_CASE("Block reconstruction: the gradient is that of the mean error", "[train]") {
  auto model = model_of<Exact>(weights), exact = model_of<Exact>(weights);
  for (Parameter<float>& each : model.linear({0, LinearKind::up}).parameters())
    for (std::size_t i = 0; i < each.value.size(); ++i)
      each.value[i] += 0.05f * static_cast<float>(i % 3);
  BlockReconstruction<Exact, Exact> run(model, exact, tokens, length);
  run.train(plan_of(1, sequences, 0.0));  // moves nothing and leaves the gradients of the whole set
  for (const LinearKind kind : linear_kinds) {
    const Parameter<float> each = model.linear({0, kind}).parameters().front();
    for (const std::size_t i : {std::size_t{0}, each.value.size() / 2}) {
      const float kept = each.value[i];
      each.value[i] = kept + 0x1p-8f;
      const double above = run.error();
      each.value[i] = kept - 0x1p-8f;
      const double difference = (above - run.error()) / 0x1p-7;
      each.value[i] = kept;
      INFO(name(kind) << "[" << i << "]");
      // Truncation of 2^-16 f''' and the float32 of both passes.
      CHECK(difference == Approx(static_cast<double>(each.gradient[i])).epsilon(0.01).margin(1e-4));
    }
  }
}

TEST_CASE("Block reconstruction: the same bits for any number of threads", "[train]") {
  const MachineSettings restored;
  const auto codes = [](int threads) {
    set_thread_count(threads);
    auto model = model_of<Quantized>(weights);
    auto exact = model_of<Exact>(weights);
    reconstruct_blocks(model, exact, tokens, length, plan_of(3, 4, 1e-2));
    std::vector<std::uint32_t> bits;
    for (const Parameter<float>& each : model.parameters())
      for (const std::uint32_t word : bits_of(each.value)) bits.push_back(word);
    return bits;
  };
  const auto one = codes(1);
  for (const int threads : thread_counts({2, 3})) CHECK(codes(threads) == one);
}

TEST_CASE("Block reconstruction: what does not fit is refused", "[train]") {
  auto model = model_of<Exact>(weights), exact = model_of<Exact>(weights);
  using Run = BlockReconstruction<Exact, Exact>;
  CHECK_THROWS_WITH(Run(model, exact, tokens, 7), Contains("30 tokens"));
  CHECK_THROWS_WITH(Run(model, exact, tokens, 0), Contains("sequences of 0"));
  LlamaConfig config = tiny_config();
  config.layers = 1;
  auto shorter = model_of<Exact>(random_llama(config, 1));
  CHECK_THROWS_WITH(Run(model, shorter, tokens, length),
                    Contains("2 blocks of dim 12") && Contains("1 of 12"));
  Run run(model, exact, tokens, length);
  CHECK_THROWS_WITH(run.train(plan_of(1, 0, 1.0)), Contains("batches of 0"));
}

}  // namespace
}  // namespace lrqat::test
