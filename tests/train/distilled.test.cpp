// SPDX-License-Identifier: MIT
// train/distilled.test.cpp: a student follows its teacher, on text that the teacher wrote.
#include <lrqat/train/distilled.hpp>
#include <lrqat/train/self_generated.hpp>

#include <lrqat/core/expects.hpp>
#include <lrqat/linear/dense_linear.hpp>
#include <lrqat/optim/adamw.hpp>
#include <lrqat/train/token_batches.hpp>
#include <lrqat/train/trainer.hpp>

#include <catch2/catch.hpp>
#include <support/tiny_llama.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace lrqat::test {
namespace {

using Model = Llama<DenseLinear<float>>;

Model dense(std::uint64_t seed, Training training) {
  return Model(random_llama(tiny_config(), seed),
               [=](MatrixView<const float> weight, const LinearName&) {
                 return DenseLinear<float>(weight, {training, {}});
               });
}

}  // namespace

TEST_CASE("Distilled: the loss and gradients are those of all logits at once", "[train]") {
  Model teacher = dense(1, Training::frozen), student = dense(2, Training::trained);
  const auto tokens = random_tokens(2 * 16, 19, 3);
  AlignedVector<float> wanted(tokens.size() * 19), own(wanted.size());
  const MatrixView<float> wanted_view(wanted.data(), tokens.size(), 19);
  const MatrixView<float> own_view(own.data(), tokens.size(), 19);
  teacher.forward(tokens, 2, 16, wanted_view);
  student.forward(tokens, 2, 16, own_view);
  std::vector<double> losses(tokens.size());
  distillation_with_gradient<float>(own_view, wanted_view, 2.0, 1.0, losses);
  double mean = 0;
  for (const double loss : losses) mean += loss / static_cast<double>(losses.size());

  Distilled step(student, teacher, 2.0);
  student.zero_gradients();
  CHECK(std::abs(step(tokens, tokens, 2, 16, 1.0f) - mean) <= 1e-12 * mean);
  const auto gradients = [&] {
    std::vector<float> all;
    for (const Parameter<float>& each : student.parameters())
      all.insert(all.end(), each.gradient.begin(), each.gradient.end());
    return all;
  };
  const std::vector<float> whole = gradients();
  student.zero_gradients();
  step(tokens, tokens, 2, 16, 0.5f);
  const std::vector<float> half = gradients();
  CHECK(std::any_of(whole.begin(), whole.end(), [](float g) { return g != 0; }));
  for (std::size_t i = 0; i < whole.size(); ++i)
    CHECK(std::abs(half[i] - 0.5f * whole[i]) <= 1e-6f * std::abs(whole[i]) + 1e-9f);
}

TEST_CASE("Distilled: training brings the student to its teacher", "[train]") {
  Model teacher = dense(1, Training::frozen), student = dense(2, Training::trained);
  const auto text = self_generated_tokens(teacher, {.sequences = 40, .length = 16, .seed = 5});
  TokenBatches<std::uint16_t> batches(text, 15, 4, 1);
  AdamW optimizer(student.parameters(), {.learning_rate = 3e-3});
  TrainPlan plan;
  plan.steps = 60;
  double first = 0;
  TrainObserver observer;
  observer.on_step = [&](const StepReport& report) {
    if (report.step == 1) first = report.loss;
  };
  const TrainResult result =
      train(plan, batches, optimizer, Distilled(student, teacher), observer);
  CHECK(result.last_loss < 0.3 * first);
}

TEST_CASE("Distilled: models of different vocabularies are refused", "[train]") {
  Model student = dense(1, Training::trained);
  LlamaConfig config = tiny_config();
  config.vocab = 23;
  Model teacher(random_llama(config, 1), [](MatrixView<const float> weight, const LinearName&) {
    return DenseLinear<float>(weight);
  });
  CHECK_THROWS_WITH(Distilled(student, teacher), Catch::Contains("19") && Catch::Contains("23"));
  CHECK_THROWS_AS(Distilled(student, student, 0.0), Error);
}

TEST_CASE("self_generated_tokens: every token begins a sequence; a seed fixes the text", "[train]") {
  Model model = dense(1, Training::frozen);
  const SelfGeneration plan{.sequences = 21, .length = 9, .greedy = 3, .first_token = 17, .seed = 4};
  std::size_t told = 0;
  const auto text = self_generated_tokens(model, plan, [&](std::size_t done) { told = done; });
  REQUIRE(text.size() == 21 * 9);
  CHECK(told == 21);
  for (std::size_t i = 0; i < 21; ++i) CHECK(text[i * 9] == (17 + i) % 19);
  CHECK(self_generated_tokens(model, plan) == text);

  // The same first token: the likeliest three follow it again, then the draws differ.
  std::vector<std::uint16_t> ends;
  for (std::size_t i : {0u, 19u}) {
    const auto begin = text.begin() + static_cast<std::ptrdiff_t>(i * 9);
    CHECK(std::equal(begin, begin + 4, text.begin()));
    ends.insert(ends.end(), begin + 4, begin + 9);
  }
  CHECK_FALSE(std::equal(ends.begin(), ends.begin() + 5, ends.begin() + 5));

  // Each greedy token is the likeliest after those before it.
  KvCache<float> cache(model.config());
  for (std::size_t t = 0; t < 3; ++t)
    CHECK(greedy_token(model.step(text[t], cache)) == text[t + 1]);

  CHECK_THROWS_WITH(self_generated_tokens(model, {.length = 17}), Catch::Contains("17"));
  CHECK_THROWS_AS(self_generated_tokens(model, {.first_token = 19}), Error);
}

}  // namespace lrqat::test
