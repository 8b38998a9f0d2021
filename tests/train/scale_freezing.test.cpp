// SPDX-License-Identifier: MIT
// tests/train/scale_freezing.test.cpp: scales that rest while weights go on.
#include <lrqat/train/scale_freezing.hpp>

#include <lrqat/method/lsq.hpp>
#include <lrqat/train/sharpness_aware.hpp>
#include <lrqat/train/trainer.hpp>

#include "support/matrix.hpp"
#include "support/temporary_folder.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <atomic>
#include <type_traits>
#include <vector>

namespace lrqat::test::freezing {
namespace {

using Layer = method::LsqPaper<3>;
static_assert(!std::is_copy_constructible_v<ScaleFreezing>);  // kept() refers to its members

/// A layer under LSQ learns another weight: mean squared error on inputs that follow from the
/// tokens.
struct Run {
  Layer layer{random_matrix(4, 8, 1.0f, 1).view()};
  Matrix target = random_matrix(4, 8, 1.0f, 2);
  std::vector<std::uint16_t> stream = std::vector<std::uint16_t>(2001);
  AdamW optimizer{layer.parameters(), {.learning_rate = 0.02}};
  ScaleFreezing freezing;

  explicit Run(ScaleFreezingOptions options) : freezing(layer.parameters(), options) {
    const CounterRng random(3, 0);
    for (std::size_t i = 0; i < stream.size(); ++i)
      stream[i] = static_cast<std::uint16_t>(random.below(1000, i));
  }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  double operator()(std::span<const std::uint16_t> inputs, std::span<const std::uint16_t>,
                    std::size_t, std::size_t, float scale) {
    Matrix x(inputs.size(), 8), y(inputs.size(), 4), wanted(inputs.size(), 4),
        grad(inputs.size(), 8);
    for (std::size_t t = 0; t < x.rows; ++t)
      for (std::size_t j = 0; j < 8; ++j) x(t, j) = CounterRng(inputs[t], 1).normal(j);
    layer.forward(x.view(), y.view());
    double loss = 0;
    for (std::size_t t = 0; t < y.rows; ++t)
      for (std::size_t i = 0; i < 4; ++i) {
        for (std::size_t j = 0; j < 8; ++j) wanted(t, i) += x(t, j) * target(i, j);
        const float error = y(t, i) - wanted(t, i);
        loss += 0.5 * static_cast<double>(error) * static_cast<double>(error);
        y(t, i) = scale * error / static_cast<float>(inputs.size());
      }
    layer.backward(x.view(), y.view(), grad.view());
    return loss / static_cast<double>(inputs.size());
  }

  std::vector<float> scales() { return copy_of(named(layer.parameters(), "scale").value); }
  std::vector<float> weights() { return copy_of(named(layer.parameters(), "weight").value); }

  TrainResult train(TrainPlan plan, const TrainObserver& observer = {},
                    const std::atomic<bool>* stop = nullptr) {
    TokenBatches<std::uint16_t> batches(std::span<const std::uint16_t>(stream), 4, 2, 5);
    plan.accumulation = 2;
    plan.before_update = [this](std::uint64_t step) { freezing.before_update(step); };
    plan.after_step = [this] { freezing.after_step(); };
    plan.kept = freezing.kept();
    SharpnessAwareOptions options{.rho = 0.05, .task_weight = 1};
    options.task_gradients = [this] { freezing.task_gradients(); };
    const auto step = [this](std::span<const std::uint16_t> inputs,
                             std::span<const std::uint16_t> targets, std::size_t batch,
                             std::size_t length, float scale) {
      return (*this)(inputs, targets, batch, length, scale);
    };
    return lrqat::train(plan, batches, optimizer, SharpnessAware(step, layer.parameters(), options),
                        observer, stop);
  }
};

/// One scale and one weight without a layer, to set gradients by hand.
struct TwoNumbers {
  std::vector<float> scale{1.0f, 2.0f, 3.0f}, scale_gradient = std::vector<float>(3);
  std::vector<float> weight{4.0f}, weight_gradient{0.0f};
  Parameters<float> parameters() {
    return {{"weight", Role::weight, weight, weight_gradient},
            {"scale", Role::scale, scale, scale_gradient}};
  }
};

}  // namespace

TEST_CASE("ScaleFreezing: the steady scales are frozen at a check, and free again at the next",
          "[train]") {
  TwoNumbers numbers;
  ScaleFreezing freezing(numbers.parameters(), {.every = 4, .window = 3, .threshold = 0.5});
  const auto step = [&](std::uint64_t t, const std::vector<float>& task) {
    std::copy(task.begin(), task.end(), numbers.scale_gradient.begin());
    numbers.weight_gradient[0] = 7.0f;
    freezing.task_gradients();
    freezing.before_update(t);
    CHECK(numbers.weight_gradient[0] == 7.0f);
  };
  // Of 4 steps the last 3 count: one turn of two is not below the threshold.
  step(0, {1, 1, 1});
  step(1, {-1, 1, 0});
  step(2, {-2, -1, 0});
  step(3, {-1, -1, 1});
  CHECK(copy_of(freezing.frozen()) == std::vector<float>{1, 0, 0});  // 0, 1/2, nothing known
  CHECK(freezing.frozen_count() == 1);
  step(4, {1, 1, 1});
  CHECK(numbers.scale_gradient == std::vector<float>{0, 1, 1});
  step(5, {-1, 1, 1});
  step(6, {1, 2, 1});
  step(7, {-1, 1, -1});  // the frozen one was watched: it turned twice
  CHECK(copy_of(freezing.frozen()) == std::vector<float>{0, 1, 0});
  step(8, {1, 1, 1});
  CHECK(numbers.scale_gradient == std::vector<float>{1, 0, 1});
}

TEST_CASE("ScaleFreezing: batches of a step are one gradient", "[train]") {
  TwoNumbers numbers;
  ScaleFreezing freezing(numbers.parameters(), {.every = 2, .window = 2, .threshold = 0.5});
  const auto batch = [&](float task) {
    std::fill(numbers.scale_gradient.begin(), numbers.scale_gradient.end(), task);
    freezing.task_gradients();
  };
  batch(1), batch(-3);
  freezing.before_update(0);
  batch(-3), batch(1);
  freezing.before_update(1);
  CHECK(freezing.frozen_count() == 3);  // -2 and -2: no turn
}

TEST_CASE("ScaleFreezing: frozen scales keep their bits through the window while weights change",
          "[train]") {
  Run run({.every = 10, .window = 10, .threshold = 0.35, .frozen = Frozen::scale});
  TrainPlan plan;
  plan.steps = 60;
  std::vector<float> frozen(4), at_check = run.scales(), weights = run.weights();
  std::size_t rested = 0, moved = 0;
  TrainObserver observer;
  observer.on_step = [&](const StepReport& report) {
    const std::vector<float> now = run.scales();
    const auto before = bits_of(at_check), after = bits_of(now);
    for (std::size_t i = 0; i < 4; ++i) {
      if (frozen[i] != 0) {
        CHECK(before[i] == after[i]);
        ++rested;
      } else {
        moved += before[i] != after[i];
      }
    }
    CHECK(bits_of(run.weights()) != bits_of(weights));
    weights = run.weights();
    if (report.step % 10 != 0) return;
    frozen = copy_of(run.freezing.frozen());
    at_check = now;
  };
  run.train(plan, observer);
  CHECK(rested >= 10);  // some were, for a period or more, and some were not
  CHECK(moved >= 10);
}

TEST_CASE("ScaleFreezing: without the task a scale still follows flatness", "[train]") {
  // Everything below a disorder of 1 rests after the first check.
  Run run({.every = 4, .window = 4, .threshold = 1.0});
  TrainPlan plan;
  plan.steps = 5;
  std::vector<std::vector<float>> scales{run.scales()};
  TrainObserver observer;
  observer.on_step = [&](const StepReport&) { scales.push_back(run.scales()); };
  run.train(plan, observer);
  CHECK(run.freezing.frozen_count() >= 1);
  CHECK(bits_of(scales[5]) != bits_of(scales[4]));
}

TEST_CASE("ScaleFreezing: a resumed run has the bits of an uninterrupted one", "[train]") {
  const TemporaryFolder folder;
  const ScaleFreezingOptions options{
      .every = 10, .window = 8, .threshold = 0.35, .frozen = Frozen::scale};
  Run whole(options), first(options), second(options);
  TrainPlan plan;
  plan.steps = 47;
  whole.train(plan);
  plan.checkpoint = folder / "run";
  std::atomic<bool> stop{false};
  TrainObserver observer;
  observer.on_step = [&](const StepReport& report) { stop = report.step >= 25; };
  CHECK(first.train(plan, observer, &stop).steps == 25);
  plan.resume = Resume::required;
  second.train(plan);
  CHECK(bits_of(second.scales()) == bits_of(whole.scales()));
  CHECK(bits_of(second.weights()) == bits_of(whole.weights()));
  CHECK(copy_of(second.freezing.frozen()) == copy_of(whole.freezing.frozen()));
}

TEST_CASE("ScaleFreezing: refuses parameters without scales and options out of range", "[train]") {
  TwoNumbers numbers;
  Parameters<float> weight{numbers.parameters()[0]};
  CHECK_THROWS_WITH(ScaleFreezing(weight), Catch::Contains("none of the parameters"));
  CHECK_THROWS_WITH(ScaleFreezing(numbers.parameters(), {.every = 3, .window = 4}),
                    Catch::Contains("window of 4 in 3"));
  CHECK_THROWS_WITH(ScaleFreezing(numbers.parameters(), {.threshold = 1.5}),
                    Catch::Contains("threshold is 1.5"));
}

}  // namespace lrqat::test::freezing
