// SPDX-License-Identifier: MIT
// tests/train/equivalent_transform.test.cpp: scales between layers, learned with their blocks.
#include <lrqat/train/equivalent_transform.hpp>

#include <lrqat/grid/int.hpp>
#include <lrqat/grid/unrounded.hpp>
#include <lrqat/linear/dense_linear.hpp>
#include <lrqat/method/omniquant.hpp>
#include <lrqat/train/block_reconstruction.hpp>
#include <lrqat/train/smooth_quant_start.hpp>

#include <catch2/catch.hpp>
#include <support/machine.hpp>
#include <support/matrix.hpp>
#include <support/tiny_llama.hpp>

#include <cmath>

namespace lrqat::test::equivalent {
namespace {

using Catch::Matchers::Contains;
using Exact = DenseLinear<float>;
/// Clips and does not round, on fixed scales.
using Soft = QuantLinear<Unrounded<Int<3>>, ChannelScales, WeightDomain, AdapterAndScale>;
using Quantized = method::OmniQuantLet<2>;

constexpr std::size_t length = 5, sequences = 6;
const LlamaConfig config = tiny_config();  // four query heads on two value heads
const LlamaWeights weights = random_llama(config, 3);
const std::vector<std::uint16_t> tokens = random_tokens(length * sequences, 19, 4);

template <class Linear>
Llama<Linear> model_of(LlamaOptions options = {}) {
  return Llama<Linear>(
      weights, [](MatrixView<const float> weight, const LinearName&) { return Linear(weight); },
      options);
}
Llama<Soft> soft_model(float part_of_range) {
  Llama<Soft> model = model_of<Soft>();
  model.for_each_linear([&](const LinearName&, Soft& layer) {
    for (float& scale : layer.weight().scales()) scale *= part_of_range;
  });
  return model;
}

std::vector<float> around_one(std::size_t count, std::uint64_t seed) {
  const CounterRng random(seed, 5);
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = std::exp(0.5f * random.normal(i));
  return values;
}
EquivalentTransform random_transform() {
  return {config, {around_one(12, 1), around_one(8, 2), around_one(4, 3), around_one(12, 4)}};
}

ReconstructionPlan plan_of(std::size_t epochs, std::size_t batch, double clips, double scales) {
  ReconstructionPlan plan;
  plan.epochs = epochs;
  plan.batch = batch;
  plan.optimizer.learning_rate = 0;
  plan.optimizer.rules = {{Role::clip, clips}, {Role::transform, scales}};
  return plan;
}

/// Outputs are around 1 and some 12 terms of sums deep, twice; this is a mean of squares.
constexpr double rounding = 1e-10;

TEST_CASE("Equivalent transform: nothing changes where nothing is quantized", "[train]") {
  auto model = soft_model(16.0f);
  auto exact = model_of<Exact>();
  BlockReconstruction run(model, exact, tokens, length);
  for (; !run.is_done(); run.advance()) {
    EquivalentTransform transform = random_transform();
    const auto layers = model.block(run.block(), length);
    Transformed transformed(transform, layers);
    transformed.apply();
    CHECK(layers.attention_norm->value != weights.blocks[run.block()].attention_norm);
    CHECK(named(layers[LinearKind::query].parameters(), "rows").value[0] != 1.0f);
    CHECK(run.error() < rounding);
  }
}

TEST_CASE(
    "Equivalent transform: a block trained again with it keeps its function; no other "
    "transform takes over",
    "[train]") {
  auto model = soft_model(16.0f);
  auto exact = model_of<Exact>();
  BlockReconstruction run(model, exact, tokens, length);
  EquivalentTransform transform = random_transform(), other = random_transform();
  const AlignedVector<float>& norm = model.frame().attention_norm[0].value;
  CHECK(run.train(plan_of(1, 2, 0, 0), transform).after < rounding);
  const AlignedVector<float> divided = norm;
  CHECK(divided != weights.blocks[0].attention_norm);
  CHECK(run.train(plan_of(1, 2, 0, 0), transform).after < rounding);
  CHECK(norm == divided);
  CHECK(run.train(plan_of(1, 2, 0, 1e-2), transform).after < rounding);
  CHECK(norm != divided);
  transform.parameters()[0].value[0] *= 2;  // changed in between
  CHECK(run.train(plan_of(1, 2, 0, 0), transform).after < rounding);
  CHECK_THROWS_WITH(run.train(plan_of(1, 2, 0, 0), other), Contains("only the transform that did"));
  run.advance();
  CHECK(run.train(plan_of(1, 2, 0, 0), transform).after < rounding);  // another block is new to it
}

TEST_CASE("Equivalent transform: norms are frozen after an error", "[train]") {
  auto model = soft_model(16.0f);
  auto exact = model_of<Exact>();
  BlockReconstruction run(model, exact, tokens, length);
  EquivalentTransform transform = random_transform();
  const FrameTensor<float>& norm = model.frame().attention_norm[0];
  CHECK_THROWS_WITH(run.train(plan_of(1, 0, 0, 0), transform), Contains("batches of 0"));
  CHECK(norm.value == weights.blocks[0].attention_norm);
  ReconstructionPlan plan = plan_of(1, 2, 0, 1e-2);
  plan.schedule = [](std::uint64_t step) -> double { return step == 1 ? fail("stopped"), 0 : 1; };
  CHECK_THROWS_WITH(run.train(plan, transform), Contains("stopped"));
  CHECK(norm.gradient.empty());
  CHECK(run.train(plan_of(1, 2, 0, 0), transform).after < rounding);
}

TEST_CASE("Equivalent transform: the gradient is that of the block's mean error", "[train]") {
  auto model = soft_model(0.4f);
  auto exact = model_of<Exact>();
  BlockReconstruction run(model, exact, tokens, length);
  EquivalentTransform transform = random_transform();
  run.train(plan_of(1, sequences, 0, 0), transform);  // moves nothing and leaves the gradients
  Transformed transformed(transform, model.block(0, length));
  int large = 0;
  for (const Parameter<float>& each : transform.parameters())
    for (std::size_t i = 0; i < each.value.size(); ++i) {
      const float kept = each.value[i], step = kept * 0x1p-10f;
      const auto at = [&](float value) {
        each.value[i] = value;
        transformed.apply();
        return run.error();
      };
      const double above = at(kept + step),
                   difference = (above - at(kept - step)) / (2 * static_cast<double>(step));
      at(kept);
      INFO(each.name << "[" << i << "]");
      // Weights that reach an end on the way, and the float32 of both passes over 2^-9.
      CHECK(difference == Approx(static_cast<double>(each.gradient[i])).epsilon(0.02).margin(1e-3));
      large += std::fabs(each.gradient[i]) > 1e-2f;
    }
  CHECK(large > 20);
}

const std::vector<std::pair<LinearKind, std::size_t>> inputs{{LinearKind::query, 12},
                                                             {LinearKind::output, 16},
                                                             {LinearKind::gate, 12},
                                                             {LinearKind::down, 20}};

/// As if the layers of both blocks had read normal numbers.
Calibration normal_inputs() {
  Calibration seen(config, {});
  for (std::size_t b = 0; b < config.layers; ++b)
    for (const auto& [kind, in] : inputs)
      seen.recorder({b, kind})->add(random_matrix(50, in, 1.0f, 10 * b + in).view());
  return seen;
}

TEST_CASE("Equivalent transform: it starts from SmoothQuant's scales", "[train]") {
  const Calibration seen = normal_inputs();
  const LlamaWeights::Block& block = weights.blocks[1];
  const EquivalentScales start = smooth_quant_start(config, block, seen, 1);
  const auto largest = [](const AlignedVector<float>& matrix, std::size_t cols, std::size_t j) {
    float most = 0;
    for (std::size_t i = j; i < matrix.size(); i += cols)
      most = std::max(most, std::fabs(matrix[i]));
    return most;
  };
  const auto read = seen.inputs({1, LinearKind::up}).max_abs();
  const auto attended = seen.inputs({1, LinearKind::output}).max_abs();
  for (std::size_t j = 0; j < 12; ++j)
    CHECK(start.mlp[j] == Approx(std::sqrt(read[j] / std::max(largest(block.gate, 12, j),
                                                              largest(block.up, 12, j)))));
  const auto of_head = [&](std::size_t j) {
    return std::sqrt(attended[j] / largest(block.output, 16, j));
  };
  for (std::size_t j = 0; j < 8; ++j) {  // two query heads of 4 channels read each value head
    const std::size_t first = j / 4 * 8 + j % 4;
    CHECK(start.value[j] == Approx(std::max(of_head(first), of_head(first + 4))));
  }
  CHECK(start.query_key == std::vector<float>(4, 1.0f));
  CHECK(start.attention.size() == 12);
}

/// Every block trained with its transform. @returns errors
std::vector<BlockErrors> train_all(Llama<Quantized>& model, const ReconstructionPlan& plan) {
  auto exact = model_of<Exact>();
  const Calibration seen = normal_inputs();
  std::vector<BlockErrors> all;
  BlockReconstruction run(model, exact, tokens, length);
  for (; !run.is_done(); run.advance()) {
    const std::size_t b = run.block();
    EquivalentTransform transform(config, smooth_quant_start(config, weights.blocks[b], seen, b));
    all.push_back(run.train(plan, transform));
  }
  return all;
}

TEST_CASE("Equivalent transform: errors fall with it, weights stay, norms end frozen", "[train]") {
  auto model = model_of<Quantized>();
  for (const BlockErrors& each : train_all(model, plan_of(20, 2, 2e-2, 1e-2))) {
    INFO("block " << each.block << ": " << each.before << " -> " << each.after);
    CHECK(each.after < (each.block == 0 ? 0.9 : 1.0) * each.before);
  }
  for (const LinearKind kind : linear_kinds) {
    const auto base = model.linear({1, kind}).weight().adapter().base();
    const AlignedVector<float>& first = linear_weight(weights.blocks[1], kind);
    CHECK(std::equal(first.begin(), first.end(), base.data));
  }
  CHECK(model.frame().attention_norm[0].value != weights.blocks[0].attention_norm);
  CHECK(model.frame().attention_norm[0].gradient.empty());
}

TEST_CASE("Equivalent transform: the same bits for any number of threads", "[train]") {
  const MachineSettings restored;
  const auto bits = [](int threads) {
    set_thread_count(threads);
    auto model = model_of<Quantized>();
    train_all(model, plan_of(2, 4, 1e-2, 5e-3));
    std::vector<std::uint32_t> all;
    for (const Parameter<float>& each : model.parameters())
      for (const std::uint32_t word : bits_of(each.value)) all.push_back(word);
    return all;
  };
  const auto one = bits(1);
  for (const int threads : thread_counts({2, 3})) CHECK(bits(threads) == one);
}

TEST_CASE("Equivalent transform: scales stay away from zero", "[train]") {
  auto model = model_of<Quantized>();
  EquivalentTransform transform = random_transform();
  std::fill_n(transform.parameters().front().value.begin(), 2, -3.0f);
  const auto layers = model.block(0, length);
  Transformed(transform, layers).apply();
  CHECK(transform.parameters().front().value[1] == EquivalentTransform::least_scale);
  CHECK(named(layers[LinearKind::key].parameters(), "columns").value[1] == 1e-2f);
}

TEST_CASE("Equivalent transform: what does not fit is refused", "[train]") {
  auto exact = model_of<Exact>();
  auto model = model_of<Quantized>();
  BlockReconstruction run(model, exact, tokens, length);
  CHECK_THROWS_WITH(run.train(plan_of(1, 1, 0, 0)),
                    Contains("query.rows") && Contains("EquivalentTransform"));
  EquivalentTransform transform = random_transform();
  auto plain = model_of<Exact>();
  BlockReconstruction other(plain, exact, tokens, length);
  CHECK_THROWS_WITH(other.train(plan_of(1, 1, 0, 0), transform), Contains("query has no Channel"));
  auto normed = model_of<Quantized>({.train_norms = true});
  BlockReconstruction third(normed, exact, tokens, length);
  CHECK_THROWS_WITH(third.train(plan_of(1, 1, 0, 0), transform), Contains("norms are trained"));
  EquivalentScales scales{around_one(12, 1), around_one(8, 2), around_one(8, 3), around_one(12, 4)};
  CHECK_THROWS_WITH(EquivalentTransform(config, scales), Contains("8 scales for 4 channels"));
  scales.query_key = {1.0f, 1.0f, 0.0f, 1.0f};
  CHECK_THROWS_WITH(EquivalentTransform(config, scales), Contains("must be positive"));
}

}  // namespace
}  // namespace lrqat::test::equivalent
