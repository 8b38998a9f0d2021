// SPDX-License-Identifier: MIT
// tests/train/step_log.test.cpp
#include <lrqat/train/step_log.hpp>

#include "support/temporary_folder.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <fstream>
#include <sstream>
#include <string>

using lrqat::StepLog;
using lrqat::StepReport;
using lrqat::test::TemporaryFolder;

namespace {

StepReport report(std::uint64_t step) {
  return {.step = step, .steps = 9, .loss = 1.0 / 3.0, .rate_factor = 0.1, .grad_norm = 2};
}

std::string content(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

std::string lines(std::uint64_t first, std::uint64_t last) {
  std::string all;
  for (std::uint64_t step = first; step <= last; ++step)
    all += lrqat::json_of(report(step)).dump() + '\n';
  return all;
}

void write(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

}  // namespace

TEST_CASE("json_of: starts with the step and gives the same doubles back", "[train]") {
  const StepReport before{.step = 12345678901,
                          .steps = 3,
                          .loss = 1.0 / 3.0,
                          .rate_factor = 0.7,
                          .grad_norm = 1e-300,
                          .tokens_per_second = 1234.5,
                          .seconds = 0.25};
  const std::string text = lrqat::json_of(before).dump();
  CHECK(text.starts_with("{\"step\":12345678901,"));
  const auto line = nlohmann::json::parse(text);
  CHECK(line.at("step") == before.step);
  CHECK(line.at("loss") == before.loss);
  CHECK(line.at("rate_factor") == before.rate_factor);
  CHECK(line.at("grad_norm") == before.grad_norm);
  CHECK(line.at("tokens_per_second") == 1234.5);
  CHECK(line.at("seconds") == 0.25);
}

TEST_CASE("StepLog: lines are on file as soon as append returns", "[train]") {
  const TemporaryFolder folder;
  StepLog log(folder / "log.jsonl", 0);
  CHECK(content(folder / "log.jsonl").empty());
  for (std::uint64_t step = 1; step <= 3; ++step) {
    log.append(report(step));
    CHECK(content(folder / "log.jsonl") == lines(1, step));
  }
}

TEST_CASE("StepLog: reopening keeps the lines up to the step, whole, and drops the rest",
          "[train]") {
  const TemporaryFolder folder;
  const auto path = folder / "log.jsonl";
  const std::string torn = lines(6, 6);
  for (std::size_t cut = 0; cut <= torn.size(); ++cut) {
    for (std::uint64_t step : {0u, 4u, 5u}) {
      write(path, lines(1, 5) + torn.substr(0, cut));
      { StepLog log(path, step); }
      REQUIRE(content(path) == lines(1, step));
    }
  }
  StepLog log(path, 5);
  log.append(report(6));
  CHECK(content(path) == lines(1, 6));
}

TEST_CASE("StepLog: a file of something else is left alone and named", "[train]") {
  const TemporaryFolder folder;
  const auto path = folder / "notes.txt";
  const std::string text = lines(1, 1) + "my notes\n";
  write(path, text);
  CHECK_THROWS_WITH(StepLog(path, 5),
                    Catch::Contains("notes.txt, line 2") && Catch::Contains("my notes"));
  CHECK(content(path) == text);
  write(path, "a line without its end");
  CHECK_THROWS_WITH(StepLog(path, 5), Catch::Contains("line 1"));
  CHECK(content(path) == "a line without its end");
  CHECK_THROWS_WITH(StepLog(folder / "no/such/folder", 0), Catch::Contains("no/such/folder"));
}
