// SPDX-License-Identifier: MIT
// tests/lab/resume.test.cpp: a process killed at random moments goes on to the same bits.
#include "lab/lab_program.hpp"

#include <lrqat/io/safetensors.hpp>

#include <nlohmann/json.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <map>
#include <thread>

using namespace lrqat;
using namespace lrqat::test;
using Catch::Contains;

namespace {

std::map<std::string, std::string> tensors_of(const std::filesystem::path& path) {
  const SafetensorsFile file(path);
  std::map<std::string, std::string> all;
  for (const std::string& name : file.names()) {
    const auto bytes = file.bytes(name);
    all[name] = {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  return all;
}

std::string train(const std::string& out, const std::string& more) {
  return "train --model model.bin --tokens train.u16 --dev dev.u16 --test test.u16 --batch 8 "
         "--threads 1 --json --scheme w3-pc-q3.5-r2 --out " +
         out + " " + more;
}

void sleep_milliseconds(unsigned milliseconds) {
  std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
}

}  // namespace

TEST_CASE("lrqat-lab train: killed at random moments and resumed, it ends with the same bits",
          "[lab]") {
  const auto program = lab_program();
  if (!program) return;
  const LabBench bench(*program);
  const auto start = std::chrono::steady_clock::now();
  const Finished whole = bench.run(train("whole", "--steps 60 --checkpoint-every 1"));
  const auto milliseconds = static_cast<std::uint32_t>(
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
  CAPTURE(whole.err);
  REQUIRE(whole.code == 0);

  const CounterRng random(static_cast<std::uint64_t>(::getpid()), 0);
  Finished last;
  int kills = 0;
  for (std::uint64_t attempt = 0; attempt < 200; ++attempt) {
    const auto run = bench.start(train("torn", "--steps 60 --checkpoint-every 1 --resume"));
    // Later attempts get more time, up to several whole runs, so that the loop ends anywhere.
    const std::uint32_t more = 20 + milliseconds / 50;
    sleep_milliseconds(random.below(60 + more * static_cast<std::uint32_t>(attempt), attempt));
    if (run->is_running()) {
      run->signal(SIGKILL);
      ++kills;
    }
    last = run->wait();
    if (last.code == 0) break;
    REQUIRE(last.code == 128 + SIGKILL);
  }
  CAPTURE(kills, last.err);
  REQUIRE(last.code == 0);
  CHECK(kills > 0);
  CHECK(tensors_of(bench / "whole/checkpoint.safetensors") ==
        tensors_of(bench / "torn/checkpoint.safetensors"));
  const auto expected = nlohmann::json::parse(whole.out), got = nlohmann::json::parse(last.out);
  for (const char* key : {"dev_ppl", "test_ppl", "merged_ppl", "steps"})
    CHECK(got[key] == expected[key]);
  const std::string log = text_of(bench / "torn/log.jsonl");
  CHECK(std::count(log.begin(), log.end(), '\n') == 60);
}

TEST_CASE("lrqat-lab train: Ctrl-C leaves a resumable checkpoint and exit code 130", "[lab]") {
  const auto program = lab_program();
  if (!program) return;
  const LabBench bench(*program);
  const std::string arguments = train("stopped", "--checkpoint-every 0 --steps 100000");
  for (const int signal : {SIGINT, SIGTERM}) {
    const std::string log = (bench / "stopped/log.jsonl").string();
    const std::size_t before = text_of(log).size();
    const auto run = bench.start(arguments + (signal == SIGINT ? "" : " --resume"));
    for (int i = 0; i < 3000 && text_of(log).size() <= before; ++i) sleep_milliseconds(20);
    sleep_milliseconds(300);
    run->signal(signal);
    const Finished ended = run->wait();
    CAPTURE(ended.err, ended.out);
    CHECK(ended.code == 130);
    CHECK(ended.out.empty());
    CHECK_THAT(ended.err, Contains("stopped after step") && Contains("--resume"));
    CHECK(nlohmann::json::parse(text_of(bench / "stopped/run.json"))["state"] == "stopped");
    CHECK_FALSE(tensors_of(bench / "stopped/checkpoint.safetensors").empty());
  }
  const Finished again = bench.run(arguments);
  CHECK(again.code == 2);
  CHECK_THAT(again.err, Contains("holds a run already"));
  const Finished other = bench.run(arguments + " --resume --seed 5");
  CHECK(other.code == 2);
  CHECK_THAT(other.err, Contains("another run"));
}
