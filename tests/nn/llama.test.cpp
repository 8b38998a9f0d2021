// SPDX-License-Identifier: MIT
// nn/llama.test.cpp: the whole model: gradients, recomputation, threads, parameters, conversion.
#include <lrqat/nn/llama.hpp>

#include <lrqat/backend/parallel_for.hpp>
#include <lrqat/linear/dense_linear.hpp>

#include <catch2/catch.hpp>
#include <support/finite_difference.hpp>
#include <support/tiny_llama.hpp>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <vector>

using lrqat::DenseLinear;
using lrqat::Llama;
using lrqat::LlamaOptions;
using lrqat::MatrixView;
using lrqat::test::Tensor;

namespace {

template <class T>
Llama<DenseLinear<T>> dense_llama(const lrqat::LlamaWeights& weights, LlamaOptions options = {}) {
  return {weights,
          [](MatrixView<const float> weight, const lrqat::LinearName&) {
            return DenseLinear<T>(weight);
          },
          options};
}

LlamaOptions everything(lrqat::Recompute recompute = lrqat::Recompute::keep) {
  return {true, true, recompute};
}

/// batch sequences of length tokens, and the tokens that follow them.
struct Text {
  std::size_t batch, length;
  std::vector<std::uint16_t> inputs, targets;

  Text(std::size_t sequences, std::size_t tokens, std::size_t vocab)
      : batch(sequences),
        length(tokens),
        inputs(lrqat::test::random_tokens(batch * length, vocab, 1)),
        targets(lrqat::test::random_tokens(batch * length, vocab, 2)) {}
};

template <class Model>
auto gradients_of(Model& model, const Text& text, double factor = 1.0) {
  model.zero_gradients();
  model.loss_and_gradients(text.inputs, text.targets, text.batch, text.length, factor);
  std::vector<typename Model::scalar> all;
  for (const auto& parameter : model.parameters())
    all.insert(all.end(), parameter.gradient.begin(), parameter.gradient.end());
  return all;
}

}  // namespace

TEST_CASE("Llama: gradients of every parameter are those of finite differences", "[nn]") {
  for (const bool tied : {true, false}) {
    auto model = dense_llama<double>(lrqat::test::random_llama(lrqat::test::tiny_config(tied), 5),
                                     everything());
    const Text text(2, 6, model.config().vocab);
    const double factor = 0.7;
    model.loss_and_gradients(text.inputs, text.targets, text.batch, text.length, factor);
    const auto loss = [&] {
      return factor * model.loss(text.inputs, text.targets, text.batch, text.length);
    };
    for (auto& parameter : model.parameters()) {
      INFO(parameter.name << (tied ? ", tied head" : ", own head"));
      // A loss is some thousand dependent operations away from a weight; few round the same way.
      CHECK(lrqat::test::worst_gradient_error(loss, parameter.value, parameter.gradient, 7, 256) <=
            1);
    }
  }
}

TEST_CASE("Llama: parameters are named once and trained only when asked", "[nn]") {
  const auto weights = lrqat::test::random_llama(lrqat::test::tiny_config(false), 5);
  auto frozen = dense_llama<float>(weights);
  auto trained = dense_llama<float>(weights, everything());
  CHECK(frozen.parameters().size() == 14);
  CHECK(frozen.parameters()[0].name == "blocks.0.query.weight");
  CHECK(frozen.parameters()[13].name == "blocks.1.down.weight");
  std::set<std::string> names;
  for (const auto& parameter : trained.parameters()) names.insert(parameter.name);
  CHECK(names.size() == 14 + 4 + 3);
  for (const char* name :
       {"embedding", "blocks.1.attention_norm", "blocks.0.mlp_norm", "final_norm", "head"})
    CHECK(names.count(name) == 1);
  CHECK(dense_llama<float>(lrqat::test::random_llama(lrqat::test::tiny_config(), 5), everything())
            .parameters()
            .size() == 14 + 4 + 2);
}

TEST_CASE("Llama: positions turn as the config's rotary scaling says", "[nn]") {
  auto weights = lrqat::test::random_llama(lrqat::test::tiny_config(), 5);
  const Text text(2, 9, 19);
  const auto loss_of = [&](float theta, const lrqat::RopeScaling& scaling) {
    weights.config.rope_theta = theta;
    weights.config.rope_scaling = scaling;
    auto model = dense_llama<double>(weights);
    return model.loss(text.inputs, text.targets, text.batch, text.length);
  };
  // Heads of 4 have the frequencies 1 and theta^(-1/2): that of 40000 is half that of 10000.
  const double wanted = loss_of(40000.0f, {}), plain = loss_of(10000.0f, {});
  CHECK(std::abs(loss_of(10000.0f, lrqat::RopeDivisors{{1.0f, 2.0f}}) - wanted) <= 1e-13);
  CHECK(std::abs(plain - wanted) > 1e-6);
  CHECK(std::abs(loss_of(10000.0f, lrqat::LinearRopeScaling{2.0f}) - plain) > 1e-6);
  CHECK_THROWS_WITH(loss_of(10000.0f, lrqat::LinearRopeScaling{0.0f}),
                    Catch::Contains("Llama: the factor of its rotary scaling is 0"));
}

TEST_CASE("Llama: what is frozen does not change the other gradients", "[nn]") {
  const auto weights = lrqat::test::random_llama(lrqat::test::tiny_config(), 5);
  auto frozen = dense_llama<float>(weights);
  auto trained = dense_llama<float>(weights, everything());
  const Text text(2, 9, 19);
  gradients_of(frozen, text);
  gradients_of(trained, text);
  for (const auto& parameter : frozen.parameters())
    for (const auto& other : trained.parameters())
      if (other.name == parameter.name)
        CHECK(std::equal(parameter.gradient.begin(), parameter.gradient.end(),
                         other.gradient.begin()));
}

TEST_CASE("Llama: recomputing blocks gives the bits of keeping them, in less memory", "[nn]") {
  auto config = lrqat::test::tiny_config();
  config.layers = 4;
  const auto weights = lrqat::test::random_llama(config, 5);
  auto keep = dense_llama<float>(weights, everything());
  auto recompute = dense_llama<float>(weights, everything(lrqat::Recompute::per_block));
  const Text text(3, 40, config.vocab);
  CHECK(gradients_of(keep, text) == gradients_of(recompute, text));
  CHECK(recompute.activation_bytes() < keep.activation_bytes() * 2 / 3);
}

TEST_CASE("Llama: the same bits for any number of threads", "[nn]") {
  const auto weights = lrqat::test::random_llama(lrqat::test::tiny_config(), 5);
  const Text text(3, 75, 19);
  const int before = lrqat::thread_count();
  lrqat::set_thread_count(1);
  auto model = dense_llama<float>(weights, everything());
  const auto gradients = gradients_of(model, text);
  const double loss = model.loss(text.inputs, text.targets, text.batch, text.length);
  for (const int threads : {2, 3, 7}) {
    lrqat::set_thread_count(threads);
    auto other = dense_llama<float>(weights, everything());
    CHECK(gradients_of(other, text) == gradients);
    CHECK(other.loss(text.inputs, text.targets, text.batch, text.length) == loss);
  }
  lrqat::set_thread_count(before);
}

TEST_CASE("Llama: buffers are reused, whatever ran before", "[nn]") {
  const auto weights = lrqat::test::random_llama(lrqat::test::tiny_config(), 5);
  auto fresh = dense_llama<float>(weights, everything());
  auto used = dense_llama<float>(weights, everything());
  gradients_of(used, Text(4, 80, 19));
  const std::size_t held = used.activation_bytes();
  const Text text(2, 33, 19);
  CHECK(gradients_of(fresh, text) == gradients_of(used, text));
  CHECK(used.activation_bytes() == held);
}

TEST_CASE("Llama: float logits equal those in double within rounding", "[nn]") {
  const auto weights = lrqat::test::random_llama(lrqat::test::tiny_config(), 5);
  auto single = dense_llama<float>(weights);
  auto exact = dense_llama<double>(weights);
  const Text text(2, 30, 19);
  Tensor<float> logits(60, 19);
  Tensor<double> wanted(60, 19);
  single.forward(text.inputs, text.batch, text.length, logits.view());
  exact.forward(text.inputs, text.batch, text.length, wanted.view());
  double largest = 0, worst = 0;
  for (std::size_t i = 0; i < logits.values.size(); ++i) {
    largest = std::max(largest, std::abs(wanted.values[i]));
    worst = std::max(worst, std::abs(double{logits.values[i]} - wanted.values[i]));
  }
  // Nine operations a block and two at the end, each at most 30 roundings (sums over 20 hidden
  // units or 30 positions) of numbers whose size is carried on to the logits, doubled at each block
  // by the sum of two branches.
  CHECK(worst <= (2 * 9 + 2) * 30 * 4 * 0x1p-24 * largest);
}

TEST_CASE("Llama: factor and repeated calls accumulate gradients", "[nn]") {
  auto model = dense_llama<double>(lrqat::test::random_llama(lrqat::test::tiny_config(), 5));
  const Text text(2, 9, 19);
  const auto whole = gradients_of(model, text);
  gradients_of(model, text, 0.25);
  model.loss_and_gradients(text.inputs, text.targets, text.batch, text.length, 0.75);
  std::size_t i = 0;
  double worst = 0, largest = 0;
  for (const auto& parameter : model.parameters())
    for (const double g : parameter.gradient) {
      worst = std::max(worst, std::abs(g - whole[i]));
      largest = std::max(largest, std::abs(whole[i++]));
    }
  CHECK(worst <= 1000 * 0x1p-53 * largest);  // roundings of two backward passes
}

TEST_CASE("Llama: losses of single tokens and the forward pass agree with the mean", "[nn]") {
  auto model = dense_llama<double>(lrqat::test::random_llama(lrqat::test::tiny_config(false), 5));
  const Text text(3, 7, 19);
  std::vector<double> nll(21), from_logits(21), training(21);
  const double mean = model.loss(text.inputs, text.targets, 3, 7, nll);
  double sum = 0;
  for (const double loss : nll) sum += loss;
  CHECK(mean == sum / 21);
  Tensor<double> logits(21, 19);
  model.forward(text.inputs, 3, 7, logits.view());
  lrqat::cross_entropy(logits.view(), text.targets, from_logits);
  CHECK(nll == from_logits);
  CHECK(model.loss_and_gradients(text.inputs, text.targets, 3, 7, 1.0, training) == mean);
  CHECK(training == nll);
}

TEST_CASE("Llama: a large vocabulary is read in parts", "[nn]") {
  auto config = lrqat::test::tiny_config();
  config.vocab = 1500;  // 256 tokens at once
  auto model = dense_llama<double>(lrqat::test::random_llama(config, 5), everything());
  const Text text(1, 300, config.vocab);
  std::vector<double> nll(300), from_logits(300);
  model.loss(text.inputs, text.targets, 1, 300, nll);
  Tensor<double> logits(300, config.vocab);
  model.forward(text.inputs, 1, 300, logits.view());
  lrqat::cross_entropy(logits.view(), text.targets, from_logits);
  CHECK(nll == from_logits);
  model.loss_and_gradients(text.inputs, text.targets, 1, 300);
  const auto loss = [&] { return model.loss(text.inputs, text.targets, 1, 300); };
  for (auto& parameter : model.parameters())
    if (parameter.name == "embedding")
      CHECK(lrqat::test::worst_gradient_error(loss, parameter.value, parameter.gradient, 1999,
                                              256) <= 1);
}

TEST_CASE("Llama: converts layer by layer into a model of its own", "[nn]") {
  const auto weights = lrqat::test::random_llama(lrqat::test::tiny_config(), 5);
  auto model = dense_llama<float>(weights);
  std::vector<std::string> seen;
  auto copy = model.convert<DenseLinear<float>>(
      [&](const DenseLinear<float>& linear, const lrqat::LinearName& which) {
        seen.push_back(which.text());
        lrqat::DenseOptions frozen;
        frozen.training = lrqat::Training::frozen;
        return DenseLinear<float>(linear.weight(), frozen);
      },
      everything());
  CHECK(seen.size() == 14);
  CHECK(seen[8] == "blocks.1.key");
  const Text text(2, 9, 19);
  CHECK(copy.loss(text.inputs, text.targets, 2, 9) == model.loss(text.inputs, text.targets, 2, 9));
  CHECK(copy.parameters().size() == 6);  // embedding and norms only
  copy.parameters()[0].value[0] += 1;
  model.for_each_linear([](const lrqat::LinearName&, DenseLinear<float>& linear) {
    const auto parameters = linear.parameters();
    for (float& weight : parameters[0].value) weight = 0;
  });
  CHECK(copy.linear({1, lrqat::LinearKind::key}).weight()(0, 0) == weights.blocks[1].key[0]);
  CHECK(model.frame().embedding.values()[0] == weights.embedding[0]);
}

TEST_CASE("Llama: bfloat16 tables give the bits of a model that holds their numbers", "[nn]") {
  for (const bool tied : {true, false}) {
    auto weights = lrqat::test::random_llama(lrqat::test::tiny_config(tied), 5);
    const auto rounded = [](lrqat::AlignedVector<float>& values) {
      lrqat::AlignedVector<lrqat::bf16> table;
      for (float& value : values) value = static_cast<float>(table.emplace_back(value));
      return table;
    };
    const lrqat::Shape shape{weights.config.vocab, weights.config.dim};
    lrqat::TokenTable<float> embedding(shape, rounded(weights.embedding)), head;
    if (!tied) head = {shape, rounded(weights.head)};
    lrqat::LlamaFrame<float> frame(weights.config, embedding, head);
    for (std::size_t b = 0; b < weights.config.layers; ++b) {
      frame.attention_norm[b].value = weights.blocks[b].attention_norm;
      frame.mlp_norm[b].value = weights.blocks[b].mlp_norm;
    }
    frame.final_norm.value = weights.final_norm;
    const auto make = [&](const lrqat::LinearName& which) {
      const lrqat::Shape linear = linear_shape(weights.config, which.kind);
      const auto& values = linear_weight(weights.blocks[which.block], which.kind);
      return DenseLinear<float>(MatrixView<const float>(values.data(), linear.rows, linear.cols));
    };
    Llama<DenseLinear<float>> half(frame, make);
    auto whole = dense_llama<float>(weights);
    const Text text(2, 9, 19);
    CHECK(gradients_of(half, text) == gradients_of(whole, text));
    CHECK(half.loss(text.inputs, text.targets, 2, 9) ==
          whole.loss(text.inputs, text.targets, 2, 9));
    lrqat::KvCache<float> cache(half.config(), 9), other(whole.config(), 9);
    const auto logits = half.prefill(std::span(text.inputs).first(9), cache);
    const auto wanted = whole.prefill(std::span(text.inputs).first(9), other);
    CHECK(std::equal(logits.begin(), logits.end(), wanted.begin(), wanted.end()));
    CHECK(half.frame().bytes() < whole.frame().bytes() * 2 / 3);
    CHECK_THROWS_WITH((Llama<DenseLinear<float>>(frame, make, everything())),
                      Catch::Contains("stays frozen"));
  }
}

TEST_CASE("Llama: a frame of other shapes than its config is refused", "[nn]") {
  const auto config = lrqat::test::tiny_config(false);
  const lrqat::Shape shape{config.vocab, config.dim};
  const lrqat::TokenTable<float> table(shape, lrqat::AlignedVector<lrqat::bf16>(shape.size()));
  const lrqat::TokenTable<float> none;
  using Frame = lrqat::LlamaFrame<float>;
  CHECK_NOTHROW(Frame(config, table, table));
  CHECK_THROWS_WITH(Frame(config, table, none), Catch::Contains("head is (0, 0)"));
  CHECK_THROWS_WITH(Frame(config, none, table), Catch::Contains("embedding is (0, 0)"));
  CHECK_THROWS_WITH(Frame(lrqat::test::tiny_config(true), table, table),
                    Catch::Contains("head is (19, 12), the config wants (0, 0)"));
  auto odd = config;
  odd.kv_heads = 3;
  CHECK_THROWS_WITH(Frame(odd, table, table), Catch::Contains("3 kv heads"));
}

TEST_CASE("Llama: an observer sees every block pass of a step", "[nn]") {
  for (const auto recompute : {lrqat::Recompute::keep, lrqat::Recompute::per_block}) {
    auto model = dense_llama<float>(lrqat::test::random_llama(lrqat::test::tiny_config(), 5),
                                    everything(recompute));
    std::vector<std::size_t> seen;
    model.observe_passes([&](std::size_t done, std::size_t all) {
      CHECK(all == 4);
      seen.push_back(done);
    });
    gradients_of(model, Text(1, 5, 19));
    CHECK(seen == std::vector<std::size_t>{1, 2, 3, 4});
  }
}

TEST_CASE("Llama: errors name what does not fit", "[nn]") {
  auto weights = lrqat::test::random_llama(lrqat::test::tiny_config(), 5);
  auto model = dense_llama<float>(weights);
  const Text text(2, 9, 19);
  CHECK_THROWS_WITH(model.loss(text.inputs, text.targets, 2, 8),
                    Catch::Contains("18 tokens for 2 sequences of 8"));
  std::vector<std::uint16_t> wrong = text.inputs;
  wrong[3] = 19;
  CHECK_THROWS_WITH(model.loss(wrong, text.targets, 2, 9), Catch::Contains("token 19"));
  CHECK_THROWS_WITH(model.loss(text.inputs, wrong, 2, 9), Catch::Contains("target 19"));
  wrong.pop_back();
  CHECK_THROWS_WITH(model.loss(text.inputs, wrong, 2, 9), Catch::Contains("17 targets"));

  const auto transposed = [](MatrixView<const float> weight, const lrqat::LinearName&) {
    return DenseLinear<float>(MatrixView<const float>(weight.data, weight.cols, weight.rows));
  };
  CHECK_THROWS_WITH((Llama<DenseLinear<float>>(weights, transposed)),
                    Catch::Contains("blocks.0.query is (12, 16), the model needs (16, 12)"));
  weights.blocks[1].up.pop_back();
  CHECK_THROWS_WITH(dense_llama<float>(weights),
                    Catch::Contains("blocks.1.up has 239 numbers, the config wants 240"));
}
