// SPDX-License-Identifier: MIT
// tests/train/killed.test.cpp: a training process that is killed again and again.
#include <lrqat/train/trainer.hpp>

#include "support/bigram_model.hpp"
#include "support/temporary_folder.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

using lrqat::AdamW;
using lrqat::test::BigramModel;
using lrqat::test::TemporaryFolder;

namespace {

constexpr const char* child_test = "train: the process that is killed";
constexpr const char* folder_variable = "LRQAT_TEST_TRAINING_FOLDER";
constexpr std::uint64_t steps = 600;

/// The parameters and moments after the run.
std::vector<float> run(const std::filesystem::path& folder, std::uint64_t checkpoint_every,
                       const lrqat::TrainObserver& observer = {}) {
  BigramModel model;
  AdamW optimizer(model.parameters(), {.learning_rate = 0.02});
  const std::vector<std::uint16_t> stream = lrqat::test::bigram_stream(2001);
  lrqat::TokenBatches<std::uint16_t> batches(std::span<const std::uint16_t>(stream), 8, 2, 3);
  lrqat::train({.steps = steps,
                .accumulation = 2,
                .schedule = lrqat::LinearWarmupDecay(100, steps),
                .max_norm = 1.0,
                .checkpoint = folder / "run.safetensors",
                .checkpoint_every = checkpoint_every,
                .fingerprint = "killed",
                .log = folder / "log.jsonl"},
               batches, optimizer, model, observer);
  std::vector<float> all = model.values();
  for (std::size_t i = 0; i < optimizer.parameters().size(); ++i)
    for (const std::span<float> moment : {optimizer.moments(i).first, optimizer.moments(i).second})
      all.insert(all.end(), moment.begin(), moment.end());
  return all;
}

std::vector<std::string> losses(const std::filesystem::path& log) {
  std::vector<std::string> all;
  std::ifstream in(log);
  for (std::string line; std::getline(in, line);) {
    const auto object = nlohmann::json::parse(line);
    all.push_back(object.at("step").dump() + " " + object.at("loss").dump() + " " +
                  object.at("grad_norm").dump());
  }
  return all;
}

/// This very program, running child_test; `ready` becomes readable after the child's first step.
pid_t start_child(const std::filesystem::path& folder, int& ready) {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const std::string setting = folder.string() + ":" + std::to_string(ends[1]);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::close(ends[0]);
    ::setenv(folder_variable, setting.c_str(), 1);
    ::execl("/proc/self/exe", "killed", child_test, static_cast<char*>(nullptr));
    ::_exit(127);
  }
  ::close(ends[1]);
  ready = ends[0];
  return child;
}

}  // namespace

TEST_CASE(child_test, "[.]") {
  const char* setting = std::getenv(folder_variable);
  if (setting == nullptr) return;  // started by hand: there is nothing to train for
  const std::string text = setting;
  const std::size_t colon = text.rfind(':');
  int parent = std::stoi(text.substr(colon + 1));
  run(text.substr(0, colon), 3, {.on_step = [&](const lrqat::StepReport&) {
        ::usleep(1000);  // so that 30 lives of at most 24 steps cannot reach the end
        if (parent < 0) return;
        CHECK(::write(parent, "s", 1) == 1);
        ::close(parent);
        parent = -1;
      }});
}

TEST_CASE("train: killed at random moments, it ends with the bits of an uninterrupted run",
          "[train]") {
  const TemporaryFolder whole_folder, folder;
  const auto start = std::chrono::steady_clock::now();
  const std::vector<float> whole = run(whole_folder.path(), 0);
  const std::chrono::duration<double, std::milli> each =
      (std::chrono::steady_clock::now() - start) / static_cast<double>(steps);
  // A life is that of 24 steps at most, on a slow machine too.
  const auto life_span = static_cast<std::uint32_t>(24000 * std::max(1.0, each.count()));
  const lrqat::CounterRng rng(2024, 0);
  const std::filesystem::path checkpoint = folder / "run.safetensors";
  int kills = 0;
  std::uint64_t last_step = 0;
  std::set<std::uint64_t> killed_at;
  for (std::uint64_t life = 0; life < 30; ++life) {
    int ready = -1;
    const pid_t child = start_child(folder.path(), ready);
    // Three lives of four train for a while; the others die while starting, loading or resuming.
    if (life % 4 != 0) {
      char byte = 0;
      CHECK(::read(ready, &byte, 1) == 1);
    }
    ::usleep(rng.below(life_span, life));
    CHECK(::kill(child, SIGKILL) == 0);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    ::close(ready);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) ++kills;

    std::uint64_t step = 0;
    if (std::filesystem::exists(checkpoint)) {  // then it is whole
      BigramModel model;
      AdamW optimizer(model.parameters());
      step = lrqat::restore_checkpoint(checkpoint, "killed", optimizer).step;
      CHECK(step % 3 == 0);
      CHECK(optimizer.steps() == step);
    }
    CHECK(step >= last_step);
    last_step = step;
    killed_at.insert(step);
  }
  INFO("checkpoint at step " << last_step << " after " << kills << " kills");
  CHECK(kills >= 20);
  CHECK(killed_at.size() >= 5);

  CHECK(run(folder.path(), 3) == whole);
  CHECK(losses(folder / "log.jsonl") == losses(whole_folder / "log.jsonl"));
  CHECK(losses(folder / "log.jsonl").size() == steps);
  std::set<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path()))
    files.insert(entry.path().filename().string());
  CHECK(files == std::set<std::string>{"log.jsonl", "run.safetensors"});
}
