// SPDX-License-Identifier: MIT
// tests/train/trainer.test.cpp
#include <lrqat/train/trainer.hpp>

#include "support/bigram_model.hpp"
#include "support/temporary_folder.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

using lrqat::AdamW;
using lrqat::LinearWarmupDecay;
using lrqat::Resume;
using lrqat::StepReport;
using lrqat::TokenBatches;
using lrqat::TrainPlan;
using lrqat::TrainResult;
using lrqat::test::BigramModel;
using lrqat::test::TemporaryFolder;

namespace {

/// A model, its optimizer and its data: what a process has after starting.
struct Run {
  BigramModel model;
  AdamW optimizer{model.parameters(), {.learning_rate = 0.05, .weight_decay = 0.01}};
  std::vector<std::uint16_t> stream = lrqat::test::bigram_stream(4001);
  TokenBatches<std::uint16_t> batches{std::span<const std::uint16_t>(stream), 16, 4, 17};

  TrainResult train(const TrainPlan& plan, const lrqat::TrainObserver& observer = {},
                    const std::atomic<bool>* stop = nullptr) {
    return lrqat::train(plan, batches, optimizer, model, observer, stop);
  }
};

TrainPlan plan_of(std::uint64_t steps) {
  return {.steps = steps,
          .accumulation = 2,
          .schedule = LinearWarmupDecay(steps / 10, steps),
          .max_norm = 1.0,
          .fingerprint = "bigram"};
}

std::vector<StepReport> lines_of(const std::filesystem::path& path) {
  std::vector<StepReport> all;
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    const auto object = nlohmann::json::parse(line);
    all.push_back({.step = object.at("step"),
                   .loss = object.at("loss"),
                   .rate_factor = object.at("rate_factor"),
                   .grad_norm = object.at("grad_norm")});
  }
  return all;
}

}  // namespace

TEST_CASE("train: a small problem is learned down to its entropy", "[train]") {
  Run run;
  const TrainResult result = run.train(plan_of(300));
  CHECK(result.steps == 300);
  CHECK_FALSE(result.stopped);
  CHECK(result.tokens == 300 * 2 * 4 * 16);
  // The best expected loss is ln 2. 128 targets a step: no less than two thirds of it at random,
  // and the last steps have all but arrived.
  CHECK(result.last_loss > 0.45);
  CHECK(result.last_loss < 0.80);
}

TEST_CASE("train: reports each step, with the schedule's factor and the time left", "[train]") {
  Run run;
  std::vector<StepReport> reports;
  run.train(plan_of(20), {.on_step = [&](const StepReport& report) { reports.push_back(report); }});
  REQUIRE(reports.size() == 20);
  const LinearWarmupDecay schedule(2, 20);
  for (std::uint64_t t = 0; t < 20; ++t) {
    CHECK(reports[t].step == t + 1);
    CHECK(reports[t].steps == 20);
    CHECK(reports[t].rate_factor == schedule(t));
    CHECK(reports[t].grad_norm > 0);
    CHECK(reports[t].tokens_per_second > 0);
    CHECK(reports[t].seconds_left >= 0);
    CHECK((t == 0 || reports[t].seconds >= reports[t - 1].seconds));
  }
  CHECK(reports[0].loss == Approx(std::log(16.0)).margin(0.2));  // nothing is known yet
  CHECK(reports[19].seconds_left == 0);
}

TEST_CASE("train: accumulated batches give the gradient of one large batch", "[train]") {
  Run whole, parts;
  TokenBatches<std::uint16_t> large(std::span<const std::uint16_t>(whole.stream), 16, 8, 17);
  TrainPlan plan = plan_of(1);
  plan.accumulation = 1;
  lrqat::train(plan, large, whole.optimizer, whole.model);
  plan.accumulation = 2;
  parts.train(plan);
  const auto expected = whole.model.gradients(), got = parts.model.gradients();
  // Sums of 128 terms of at most 1/128: both roundings are below 128 * 2^-24 * 1.
  for (std::size_t i = 0; i < got.size(); ++i)
    CHECK(std::abs(got[i] - expected[i]) < 128 * 0x1p-24f);
}

TEST_CASE("train: before_update sees whole gradients and may change them", "[train]") {
  Run watched, plain;
  std::vector<std::uint64_t> steps;
  TrainPlan plan = plan_of(4);
  const auto first_gradient = [&] { return watched.model.parameters()[0].gradient; };
  double largest = 0;
  plan.before_update = [&](std::uint64_t step) {
    steps.push_back(step);
    for (float& gradient : first_gradient()) {
      largest = std::max(largest, std::abs(double{gradient}));
      gradient = 0;
    }
  };
  const auto before = watched.model.parameters()[0].value[0];
  watched.train(plan);
  plain.train(plan_of(4));
  CHECK(steps == std::vector<std::uint64_t>{0, 1, 2, 3});
  CHECK(largest > 0);
  // Nothing is left but the decay: at most 4 steps of 0.05 * 0.01.
  const float after = watched.model.parameters()[0].value[0];
  CHECK(std::abs(after - before) <= 4 * 0.05 * 0.01 * std::abs(before) + 1e-7);
  CHECK(plain.model.parameters()[0].value[0] != after);
}

TEST_CASE("train: a resumed run has the bits of an uninterrupted one", "[train]") {
  const TemporaryFolder folder;
  Run whole;
  TrainPlan plan = plan_of(60);
  plan.log = folder / "whole.jsonl";
  whole.train(plan);
  const auto expected = lines_of(plan.log);
  for (const std::uint64_t stop_at : {0u, 1u, 29u, 59u}) {
    TrainPlan halves = plan_of(60);
    halves.checkpoint = folder / ("run" + std::to_string(stop_at));
    halves.log = folder / ("log" + std::to_string(stop_at));
    std::atomic<bool> stop{stop_at == 0};
    Run first, second;
    const TrainResult stopped = first.train(
        halves, {.on_step = [&](const StepReport& report) { stop = report.step >= stop_at; }},
        &stop);
    CHECK(stopped.stopped);
    CHECK(stopped.steps == stop_at);
    std::uint64_t resumed_at = 99;
    halves.resume = Resume::required;
    const TrainResult ended =
        second.train(halves, {.on_resume = [&](std::uint64_t step) { resumed_at = step; }});
    CHECK(resumed_at == stop_at);
    CHECK(ended.steps == 60);
    CHECK_FALSE(ended.stopped);
    CHECK(ended.seconds >= stopped.seconds);
    CHECK(second.model.values() == whole.model.values());
    const auto lines = lines_of(halves.log);
    REQUIRE(lines.size() == 60);
    for (std::size_t i = 0; i < 60; ++i) {
      CHECK(lines[i].step == i + 1);
      CHECK(lines[i].loss == expected[i].loss);
      CHECK(lines[i].grad_norm == expected[i].grad_norm);
    }
  }
}

TEST_CASE("train: a stop within a step gives the step up", "[train]") {
  const TemporaryFolder folder;
  Run whole, first, second;
  TrainPlan plan = plan_of(10);
  whole.train(plan);
  plan.checkpoint = folder / "run";
  std::atomic<bool> stop{false};
  int calls = 0;
  auto step = [&](auto inputs, auto targets, std::size_t batch, std::size_t length, float scale) {
    stop = ++calls == 9;  // the first of step 5's two batches
    return first.model(inputs, targets, batch, length, scale);
  };
  const auto result = lrqat::train(plan, first.batches, first.optimizer, step, {}, &stop);
  CHECK(result.stopped);
  CHECK(result.steps == 4);
  second.train(plan);
  CHECK(second.model.values() == whole.model.values());
}

TEST_CASE("train: checkpoints come when asked for and at the end", "[train]") {
  const TemporaryFolder folder;
  Run run;
  TrainPlan plan = plan_of(10);
  plan.checkpoint = folder / "run";
  plan.checkpoint_every = 4;
  std::vector<std::uint64_t> saved;
  const lrqat::TrainObserver observer{
      .on_checkpoint = [&](std::uint64_t step, const std::filesystem::path& path) {
        CHECK(std::filesystem::exists(path));
        saved.push_back(step);
      }};
  run.train(plan, observer);
  CHECK(saved == std::vector<std::uint64_t>{4, 8, 10});
  Run again;
  const TrainResult nothing_left = again.train(plan, observer);
  CHECK(saved.size() == 3);
  CHECK(nothing_left.steps == 10);
  CHECK(nothing_left.tokens == 0);
  CHECK(std::isnan(nothing_left.last_loss));
  CHECK(again.model.values() == run.model.values());
}

TEST_CASE("train: a loss that is not finite names its step; the checkpoint stays good", "[train]") {
  const TemporaryFolder folder;
  Run whole, broken, repaired;
  TrainPlan plan = plan_of(20);
  whole.train(plan);
  plan.checkpoint = folder / "run";
  plan.checkpoint_every = 5;
  int calls = 0;
  auto step = [&](auto inputs, auto targets, std::size_t batch, std::size_t length, float scale) {
    const double loss = broken.model(inputs, targets, batch, length, scale);
    return ++calls == 2 * 13 ? std::numeric_limits<double>::quiet_NaN() : loss;
  };
  CHECK_THROWS_WITH(lrqat::train(plan, broken.batches, broken.optimizer, step),
                    Catch::Contains("training step 13 of 20") && Catch::Contains("loss is"));
  CHECK(repaired.train(plan).steps == 20);
  CHECK(repaired.model.values() == whole.model.values());
}

TEST_CASE("train: a gradient that is not finite names its step and parameter", "[train]") {
  Run run;
  auto step = [&](auto inputs, auto targets, std::size_t batch, std::size_t length, float scale) {
    const double loss = run.model(inputs, targets, batch, length, scale);
    run.model.parameters()[1].gradient[3] = std::numeric_limits<float>::infinity();
    return loss;
  };
  const auto before = run.model.values();
  CHECK_THROWS_WITH(
      lrqat::train(plan_of(5), run.batches, run.optimizer, step),
      Catch::Contains("step 1 of 5") && Catch::Contains("'bias'") && Catch::Contains("element 3"));
  CHECK(run.model.values() == before);
}

TEST_CASE("train: parameters that overflow never reach the checkpoint", "[train]") {
  const TemporaryFolder folder;
  Run run;
  AdamW wild(run.model.parameters(), {.learning_rate = 1e38, .rules = {}});
  TrainPlan plan = plan_of(50);
  plan.schedule = lrqat::ConstantSchedule{};
  plan.checkpoint = folder / "run";
  plan.checkpoint_every = 1;
  CHECK_THROWS_AS(lrqat::train(plan, run.batches, wild, run.model), lrqat::Error);
  if (!std::filesystem::exists(plan.checkpoint)) return;  // the very first step overflowed
  BigramModel fresh;
  AdamW restored(fresh.parameters());
  CHECK_NOTHROW(lrqat::restore_checkpoint(plan.checkpoint, "bigram", restored));
}

TEST_CASE("train: resuming follows the plan", "[train]") {
  const TemporaryFolder folder;
  Run first, fresh, refused;
  TrainPlan plan = plan_of(6);
  plan.checkpoint = folder / "run";
  plan.resume = Resume::required;
  CHECK_THROWS_WITH(first.train(plan), Catch::Contains("no checkpoint"));
  plan.resume = Resume::if_present;
  first.train(plan);
  plan.resume = Resume::never;
  CHECK(fresh.train(plan).tokens > 0);
  plan.resume = Resume::if_present;
  plan.fingerprint = "another model";
  CHECK_THROWS_WITH(refused.train(plan),
                    Catch::Contains("'bigram'") && Catch::Contains("'another model'"));
  plan.fingerprint = "bigram";
  plan.steps = 3;
  CHECK_THROWS_WITH(refused.train(plan), Catch::Contains("step 6") && Catch::Contains("only 3"));
}

TEST_CASE("train: an impossible plan is an error", "[train]") {
  Run run;
  TrainPlan plan = plan_of(10);
  plan.steps = 0;
  CHECK_THROWS_AS(run.train(plan), lrqat::Error);
  plan.steps = 10;
  plan.accumulation = 0;
  CHECK_THROWS_AS(run.train(plan), lrqat::Error);
  plan.accumulation = 1;
  plan.checkpoint_every = 3;
  CHECK_THROWS_WITH(run.train(plan), Catch::Contains("every 3 steps"));
}
