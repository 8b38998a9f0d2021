// SPDX-License-Identifier: MIT
// tests/lab/sweep.test.cpp: a sweep keeps each finished run, goes on where it was, tells its law.
#include "lab/sweep_report.hpp"

#include "lab/lab_program.hpp"

#include <nlohmann/json.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <csignal>
#include <sstream>
#include <thread>

using namespace lrqat;
using namespace lrqat::lab;
using namespace lrqat::test;
using Catch::Contains;

namespace {

const std::string sweep_texts = "--tokens train.u16 --dev dev.u16 --test test.u16 --vocab 64 ";
const std::string sweep_of = "sweep " + sweep_texts + "--batch 2 --context 16 ";
const std::string tiny_sweep =
    sweep_of + "--sizes 16x1 16x2 32x1 --train-tokens 64 128 256 --groups 4 16 ";

/// Points that follow a law exactly.
std::vector<SweepPoint> planted_points(const ScalingLaw& law) {
  SweepPlan plan{.sizes = {{32, 1}, {64, 2}, {128, 3}},
                 .token_counts = {10240, 51200, 512000},
                 .group_sizes = {8, 32},
                 .vocab = 64};
  std::vector<SweepPoint> points = sweep_points(plan);
  for (SweepPoint& point : points)
    point.dev_loss = point.test_loss =
        law.loss(static_cast<double>(point.parameters), static_cast<double>(point.tokens),
                 static_cast<double>(point.group_size));
  return points;
}

}  // namespace

TEST_CASE("lrqat-lab sweep: one point a run, a law over them, files for a person", "[lab]") {
  const auto program = lab_program();
  if (!program) return;
  const LabBench bench(*program);
  const auto object = json_of(bench, tiny_sweep + "--out law --json");
  REQUIRE(object["points"].size() == 3 * 3 * 3);
  const auto first = object["points"][0], coarse = object["points"][2];
  CHECK(first["size"] == "16x1");
  CHECK(first["parameters"] == 4 * 16 * 16 + 3 * 16 * 64);
  CHECK(first["tokens"] == 64);
  CHECK(first["group_size"] == 1);
  CHECK(coarse["group_size"] == 16);
  CHECK(coarse["test_loss"] != first["test_loss"]);
  for (const auto& point : object["points"]) {
    CHECK(point["test_loss"].get<double>() == Approx(std::log(64)).margin(1));
    CHECK(std::isfinite(point["law_residual"].get<double>()));
  }
  for (const char* constant :
       {"A", "alpha", "B", "beta", "E", "k", "gamma_N", "gamma_D", "gamma_G"})
    CHECK(object["law"][constant].get<double>() >= 0);

  const std::string points = text_of(bench / "law/points.jsonl");
  CHECK(lines_of(points) == 27);
  const auto line = nlohmann::json::parse(points.substr(0, points.find('\n')));
  CHECK(line["test_loss"] == first["test_loss"]);
  CHECK_THAT(text_of(bench / "law/sweep.md"),
             Contains("| 16x1 |  4,096 |") && Contains("gamma_D") && Contains("--budget"));
  CHECK(nlohmann::json::parse(text_of(bench / "law/sweep.json")) == object);
  for (const char* name : {"loss", "error"}) {
    CHECK_THAT(text_of(bench / ("law/" + std::string(name) + ".svg")),
               Contains("<svg") && Contains("32x1, 256 tokens"));
    CHECK(text_of(bench / ("law/" + std::string(name) + ".png")).substr(1, 3) == "PNG");
  }

  // Other bits would show here: the same runs on one thread, without a folder.
  CHECK(json_of(bench, tiny_sweep + "--threads 1 --json") == object);
  // All there already; more groups add runs to the file.
  const Finished again = bench.run(tiny_sweep + "--out law --json");
  CHECK_THAT(again.err, Contains("27 of 27 runs are there already"));
  CHECK(nlohmann::json::parse(again.out) == object);
  CHECK(text_of(bench / "law/points.jsonl") == points);
  CHECK(json_of(bench, tiny_sweep + "8 --out law --json")["points"].size() == 36);
  CHECK(text_of(bench / "law/points.jsonl").starts_with(points));
}

TEST_CASE("lrqat-lab sweep: stopped, killed and torn, it goes on to the same file", "[lab]") {
  const auto program = lab_program();
  if (!program) return;
  const LabBench bench(*program);
  const std::string arguments =
      sweep_of + "--sizes 16x1 16x2 --train-tokens 320 2048 --groups 4 16 --threads 1 --out ";
  REQUIRE(bench.run(arguments + "whole").code == 0);
  const std::string whole = text_of(bench / "whole/points.jsonl");
  const std::string torn = (bench / "torn/points.jsonl").string();
  for (const int signal : {SIGINT, SIGKILL}) {
    const std::size_t before = lines_of(text_of(torn));
    const auto run = bench.start(arguments + "torn");
    while (run->is_running() && lines_of(text_of(torn)) < before + 2)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    REQUIRE(run->is_running());
    run->signal(signal);
    const Finished ended = run->wait();
    CAPTURE(ended.err);
    CHECK(ended.code == (signal == SIGINT ? 130 : 128 + SIGKILL));
    if (signal == SIGINT) CHECK_THAT(ended.err, Contains("runs are in") && Contains("goes on"));
    CHECK(whole.starts_with(text_of(torn)));
  }
  std::ofstream(torn, std::ios::app) << R"({"size":"16x2","param)";
  const Finished last = bench.run(arguments + "torn");
  CAPTURE(last.err);
  REQUIRE(last.code == 0);
  CHECK(text_of(torn) == whole);
  CHECK(text_of(bench / "torn/sweep.json") == text_of(bench / "whole/sweep.json"));
  CHECK_THAT(text_of(bench / "whole/sweep.md"),
             Contains("No law: ") && Contains("4 different unquantized runs"));
}

TEST_CASE("lrqat-lab sweep: what does not fit is one sentence", "[lab]") {
  const auto program = lab_program();
  if (!program) return;
  const LabBench bench(*program);
  const std::string out = tiny_sweep + "--out new ";
  const std::pair<std::string, std::string> cases[] = {
      {sweep_of + "--out new --sizes 64", "<width>x<layers>"},
      {sweep_of + "--out new --sizes 20x2", "multiple of 16"},
      {"sweep " + sweep_texts + "--batch 1024 --context 1024 --out new", "may have 262144 tokens"},
      {sweep_of + "--out new --sizes 016x2", "'016x2'"},
      {sweep_of + "--out new --sizes 16x0", "1 to 128"},
      {sweep_of + "--out new --groups 4 --sizes 16x1 16x1", "twice: 16x1"},
      {sweep_of + "--out new --sizes 16x1 --groups 32 --train-tokens 64", "--groups 32"},
      {sweep_of + "--out new --sizes 16x1 --groups 4 --train-tokens 64 65", "rounded"},
      {sweep_of + "--out new --sizes 16x1 --groups 4 --train-tokens 31", "one step has 32"},
      {sweep_of + "--out new --sizes 16x1 --groups 1", "--groups"},
      {sweep_of + "--out new --train-tokens 0", "--train-tokens"},
      {out + "--scheme w4-pc-rtn", "full QAT"},
      {out + "--scheme w4-pc-q4.4-r8", "w4-pc-lsq"},
      {out + "--budget 0", "--budget"},
      {out + "--data text.txt", "two texts"},
      {"sweep --tokens train.u16 --vocab 30 --out new", "train.u16"},
      {"sweep --dev dev.u16 --out new", "--tokens or --data names"},
      {"sweep --vocab 64 --out new", "512"},
  };
  check_refused(bench, cases);

  REQUIRE(bench.run(sweep_of + "--sizes 16x1 --train-tokens 64 --groups 4 --out one").code == 0);
  const std::string points = text_of(bench / "one/points.jsonl");
  const std::string more = sweep_of + "--sizes 16x1 --train-tokens 64 --groups 4 --out one ";
  const Finished other = bench.run(more + "--seed 2");
  CHECK(other.code == 2);
  CHECK_THAT(other.err, Contains("line 1: is of another experiment") && Contains("seed 2"));
  std::ofstream(bench / "one/points.jsonl", std::ios::app) << "{\"experiment\":3}\n";
  const Finished broken = bench.run(more);
  CHECK(broken.code == 2);
  CHECK_THAT(broken.err, Contains("line 3: 'experiment' is missing"));
  CHECK(text_of(bench / "one/points.jsonl").starts_with(points));
}

TEST_CASE("SweepReport: a planted law is told, with its advice", "[lab]") {
  const ScalingLaw law{.a = 30,
                       .alpha = 0.3,
                       .b = 60,
                       .beta = 0.4,
                       .e = 1.5,
                       .k = 0.05,
                       .gamma_n = 0.2,
                       .gamma_d = 0.1,
                       .gamma_g = 0.8};
  const std::vector<SweepPoint> points = planted_points(law);
  const SweepPoint& middle = points[4];
  const double budget = law.quantization_error(static_cast<double>(middle.parameters),
                                               static_cast<double>(middle.tokens), 8);
  const SweepReport report(points, 1.0001 * budget);
  const JsonObject object = report.json();
  CHECK(object["max_error"].get<double>() < 1e-6);
  CHECK(object["law"]["gamma_G"].get<double>() == Approx(0.8).epsilon(1e-3));
  CHECK(object["points"][0]["coarsest_group"] == 8);  // 10,240 tokens: less costs less
  CHECK(object["points"][4]["coarsest_group"] == 8);
  CHECK(object["points"][8]["coarsest_group"].is_null());  // ten times the tokens: none is in it
  CHECK(object["points"][26]["coarsest_group"] == 32);     // the largest model
  CHECK_THAT(report.text(), Contains("off by 0.00 % on average") && Contains("| 32x1  |") &&
                                Contains("none") && Contains("   0.8 |"));

  const LinePlot losses = report.loss_plot("title"), errors = report.error_plot("title");
  REQUIRE(losses.series.size() == 2 * 9);
  CHECK(losses.series[0].x == std::vector<double>{1, 8, 32});
  CHECK(errors.series[0].x == std::vector<double>{8, 32});
  CHECK(losses.series[0].colour == losses.series[1].colour);
  CHECK(losses.series[1].x.back() == Approx(32));
  CHECK(losses.series[1].y.back() == Approx(points[2].test_loss));
  CHECK(errors.series[1].y.front() == Approx(errors.series[0].y.front()).epsilon(1e-4));
}

TEST_CASE("SweepReport: too few points are a table without a law", "[lab]") {
  std::vector<SweepPoint> points = planted_points({.a = 30, .alpha = 0.3, .e = 1.5});
  points.resize(6);
  const SweepReport report(points, 0.02);
  CHECK(report.json()["law"].is_null());
  CHECK_THAT(report.text(), Contains("No law: ") && Contains("at least"));
  const LinePlot plot = report.loss_plot("title");
  CHECK(plot.series[0].is_joined);
  CHECK(plot.series[1].x.empty());
}
