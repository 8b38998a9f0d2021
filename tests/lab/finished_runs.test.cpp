// SPDX-License-Identifier: MIT
// tests/lab/finished_runs.test.cpp: a table of methods keeps each finished run and goes on from
// there.
#include "lab/finished_runs.hpp"

#include "lab/lab_program.hpp"

#include <lrqat/core/expects.hpp>
#include <lrqat/io/atomic_file.hpp>

#include <nlohmann/json.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <map>
#include <string>
#include <thread>

using namespace lrqat;
using namespace lrqat::lab;
using namespace lrqat::test;
using Catch::Contains;

namespace {

/// The first `count` lines and half of the next.
std::string torn_after(const std::string& text, std::size_t count) {
  std::size_t end = 0;
  for (std::size_t i = 0; i < count; ++i) end = text.find('\n', end) + 1;
  return text.substr(0, end + 20);
}

}  // namespace

TEST_CASE("finished runs: kept, read back, a torn last line taken away", "[lab]") {
  const TemporaryFolder folder;
  const auto path = folder / "runs.jsonl";
  {
    FinishedRuns runs(path, "one");
    CHECK(runs.runs().empty());
    runs.append({{"row", "rtn-w4"}, {"seed", 3u}, {"ppl", 4.125}});
    runs.append({{"row", "rtn-w3"}, {"seed", 4u}, {"ppl", nullptr}});
  }
  const std::string whole = text_of(path);
  CHECK(lines_of(whole) == 2);
  write_file(path, whole + "{\"row\": \"rt");
  const FinishedRuns runs(path, "one");
  CHECK(text_of(path) == whole);
  REQUIRE(runs.runs().size() == 2);
  CHECK(runs.value<std::string>(0, "row") == "rtn-w4");
  CHECK(runs.value<std::size_t>(1, "seed") == 4);
  CHECK(runs.value<double>(0, "ppl") == 4.125);
  CHECK_THROWS_WITH(runs.value<double>(1, "ppl"), Contains("line 2: 'ppl'"));  // was not finite
  CHECK_THROWS_WITH(runs.value<std::string>(0, "seed"), Contains("line 1: 'seed'"));
  CHECK_THROWS_WITH(runs.value<double>(0, "rate"), Contains("'rate' is missing"));

  CHECK_THROWS_WITH(FinishedRuns(path, "two"), Contains("line 1") && Contains("'one'"));
  write_file(path, "[1]\n");
  CHECK_THROWS_WITH(FinishedRuns(path, "one"), Contains("line 1: is not a JSON object"));
  write_file(path, "{}\n");
  CHECK_THROWS_WITH(FinishedRuns(path, "one"), Contains("'experiment' is missing"));
}

TEST_CASE("lrqat-lab table --methods: a stopped table goes on to the same bits", "[lab]") {
  const auto program = lab_program();
  if (!program) return;
  const LabBench bench(*program);
  const std::string start =
      "table --model model.bin --tokens train.u16 --dev dev.u16 --test test.u16 --rank 2 --batch 2 "
      "--methods rtn-w3 peqa-w3 lr-qat-w2 --tune --seeds 2 --json ";
  const auto rows_of = [&](const std::string& arguments) {
    const Finished ran = bench.run(start + arguments);
    CAPTURE(ran.err);
    REQUIRE(ran.code == 0);
    auto rows = nlohmann::json::parse(ran.out)["rows"];
    for (auto& row : rows) {
      row.erase("seconds");
      // Working memory that earlier runs left is not asked for again.
      row.erase("linear_peak_bytes");
    }
    return rows;
  };
  const auto rows = rows_of("--steps 6 --out whole");
  REQUIRE(rows.size() == 3);
  const std::string runs = text_of(bench / "whole/runs.jsonl");
  CHECK(lines_of(runs) >= 1 + 2 * (3 + 1));  // three rates with the first seed, one with the second
  for (const auto& row : rows) {
    const bool is_trained = row["row"] != "rtn-w3";
    CHECK(row["test_ppl"].size() == (is_trained ? 2 : 1));
    double least = 1e30;
    std::map<double, double> tried;  // rates: perplexity
    for (std::size_t at = 0; at < runs.size(); at = runs.find('\n', at) + 1) {
      const auto run = nlohmann::json::parse(runs.substr(at, runs.find('\n', at) - at));
      if (run["row"] != row["row"] || run["seed"] != 1) continue;
      least = std::min(least, run["dev_ppl"].get<double>());
      tried[run["rate_factor"]] = run["dev_ppl"];
    }
    if (is_trained) {  // further while an end is the best, up to 27 times
      const auto low = *tried.begin(), high = *tried.rbegin();
      CHECK(tried.size() >= 3);
      CHECK((low.second != least || low.first < 0.04));
      CHECK((high.second != least || high.first == 27));
    }
    CHECK(row["dev_ppl"][0] == least);  // the best of the rates that were tried
  }

  std::filesystem::create_directory(bench / "torn");
  write_file(bench / "torn/runs.jsonl", torn_after(runs, 4));
  CHECK(rows_of("--steps 6 --out torn") == rows);
  CHECK(lines_of(text_of(bench / "torn/runs.jsonl")) == lines_of(runs));

  const Finished other = bench.run(start + "--steps 7 --out whole");
  CHECK(other.code == 2);
  CHECK_THAT(other.err, Contains("another experiment") && Contains("steps 6"));
  CHECK(text_of(bench / "whole/runs.jsonl") == runs);
}

TEST_CASE("lrqat-lab table --methods: stopped by a person, it goes on to the same rows", "[lab]") {
  const auto program = lab_program();
  if (!program) return;
  const LabBench bench(*program);
  const std::string arguments =
      "table --model model.bin --tokens train.u16 --dev dev.u16 --test test.u16 --rank 2 --batch 2 "
      "--methods rtn-w3 lr-qat peqa --steps 400 --seeds 2 --threads 1 --out torn ";
  const std::string runs = (bench / "torn/runs.jsonl").string();
  const auto run = bench.start(arguments);
  while (run->is_running() && lines_of(text_of(runs)) < 2)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  REQUIRE(run->is_running());
  run->signal(SIGINT);
  const Finished ended = run->wait();
  CAPTURE(ended.err);
  CHECK(ended.code == 130);
  CHECK_THAT(ended.err, Contains("runs are in") && Contains("goes on from there"));
  CHECK_FALSE(std::filesystem::exists(bench / "torn/methods.md"));
  const std::string before = text_of(runs);
  CHECK(bench.run(arguments).code == 0);
  CHECK(text_of(runs).starts_with(before));
  CHECK(lines_of(text_of(runs)) == 1 + 2 * 6);
}

TEST_CASE("lrqat-lab table --methods: a run depends on its own seed, not on the table's first",
          "[lab]") {
  const auto program = lab_program();
  if (!program) return;
  const LabBench bench(*program);
  const std::string start =
      "table --model model.bin --tokens train.u16 --dev dev.u16 --test test.u16 --rank 2 --batch 2 "
      "--steps 4 --json --methods llm-qat-w3 lr-qat-w3 ";
  const auto both = json_of(bench, start + "--seed 1 --seeds 2")["rows"];
  const auto second = json_of(bench, start + "--seed 2")["rows"];
  REQUIRE((both.size() == 2 && second.size() == 2));
  for (const auto& row : both) {
    CAPTURE(row["row"].get<std::string>());
    const auto alone = std::find_if(second.begin(), second.end(),
                                    [&](const auto& each) { return each["row"] == row["row"]; });
    REQUIRE(alone != second.end());
    CHECK((*alone)["test_ppl"][0] == row["test_ppl"][1]);
    CHECK(row["test_ppl"][0] != row["test_ppl"][1]);
  }
}

TEST_CASE("lrqat-lab table --methods: a training that fails is named, and not kept", "[lab]") {
  const auto program = lab_program();
  if (!program) return;
  const LabBench bench(*program);
  const std::string start =
      "table --model model.bin --tokens train.u16 --dev dev.u16 --test test.u16 --rank 2 --batch 2 "
      "--methods rtn-w4 peqa-w4 --lr-scale 1e25 ";
  const Finished failed = bench.run(start + "--steps 3 --out failed");
  CHECK(failed.code == 2);
  CHECK_THAT(failed.err, Contains("peqa-w4, seed 1: "));
  CHECK(lines_of(text_of(bench / "failed/runs.jsonl")) == 1);
  const Finished tuned = bench.run(start + "--steps 3 --tune --out tuned");
  CHECK(tuned.code == 2);
  CHECK_THAT(tuned.err, Contains("rates x 3: ") && Contains("with each learning rate"));
  // After one step there is a loss, but no perplexity.
  const Finished late = bench.run(start + "--steps 1 --out late");
  CHECK(late.code == 2);
  CHECK_THAT(late.err, Contains("peqa-w4, seed 1: a perplexity of "));
  CHECK(lines_of(text_of(bench / "late/runs.jsonl")) == 1);
}
