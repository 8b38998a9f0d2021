// SPDX-License-Identifier: MIT
// tests/train/measured_scale.test.cpp: a model whose scales follow its weights trains and resumes.
#include <lrqat/train/trainer.hpp>

#include <lrqat/method/quest.hpp>
#include <lrqat/nn/llama.hpp>

#include <support/matrix.hpp>
#include <support/temporary_folder.hpp>
#include <support/tiny_llama.hpp>

#include <catch2/catch.hpp>

#include <atomic>

namespace lrqat::test {
namespace {

using Layer = method::Quest<2>;

/// A model, its optimizer and its data: what a process has after starting.
struct Run {
  Llama<Layer> model{
      random_llama(tiny_config(), 1),
      [](MatrixView<const float> weight, const LinearName&) { return Layer(weight); }};
  AdamW optimizer{model.parameters(), {.learning_rate = 0.02}};
  std::vector<std::uint16_t> stream = random_tokens(400, tiny_config().vocab, 2);
  TokenBatches<std::uint16_t> batches{std::span<const std::uint16_t>(stream), 8, 2, 3};

  TrainResult train(TrainPlan plan, const TrainObserver& observer = {},
                    const std::atomic<bool>* stop = nullptr) {
    plan.after_step = [this] { model.after_step(); };
    const auto step = [this](auto inputs, auto targets, std::size_t batch, std::size_t length,
                             float scale) {
      return model.loss_and_gradients(inputs, targets, batch, length, static_cast<double>(scale));
    };
    return lrqat::train(plan, batches, optimizer, step, observer, stop);
  }
  const Layer& layer(LinearKind kind) const {
    return model.linear({1, kind});
  }
  std::vector<float> values() const {
    std::vector<float> all;
    model.for_each_linear([&](const LinearName&, const Layer& each) {
      const std::span<const float> scales = each.weight().scales();
      const Matrix w_hat = weight_of(each);
      all.insert(all.end(), scales.begin(), scales.end());
      all.insert(all.end(), w_hat.values.begin(), w_hat.values.end());
    });
    return all;
  }
};

TEST_CASE("train: measured scales follow the weights, and no optimizer sees them", "[train]") {
  Run run;
  for (const Parameter<float>& each : run.model.parameters()) CHECK(each.role != Role::scale);
  const auto before = copy_of(run.layer(LinearKind::up).weight().scales());
  run.train({.steps = 3});
  const auto after = copy_of(run.layer(LinearKind::up).weight().scales());
  CHECK(after != before);
  Layer again = run.layer(LinearKind::up);
  again.after_step();
  CHECK(copy_of(again.weight().scales()) == after);
}

TEST_CASE("train: a resumed run with measured scales has the bits of an uninterrupted one",
          "[train]") {
  const TemporaryFolder folder;
  Run whole;
  whole.train({.steps = 8});
  for (const std::uint64_t stop_at : {0u, 1u, 5u}) {
    TrainPlan plan{.steps = 8, .checkpoint = folder / ("run" + std::to_string(stop_at))};
    std::atomic<bool> stop{stop_at == 0};
    Run first, second;
    first.train(plan, {.on_step = [&](const StepReport& at) { stop = at.step >= stop_at; }}, &stop);
    plan.resume = Resume::required;
    CHECK(second.train(plan).steps == 8);
    CHECK(bits_of(second.values()) == bits_of(whole.values()));
  }
}

}  // namespace
}  // namespace lrqat::test
