// SPDX-License-Identifier: MIT
// tests/lab/methods.test.cpp: the table of methods, and its plot.
#include "lab/lab_program.hpp"
#include "lab/line_plot.hpp"

#include <lrqat/core/expects.hpp>

#include <nlohmann/json.hpp>

#include <catch2/catch.hpp>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <limits>
#include <map>
#include <string>

using namespace lrqat;
using namespace lrqat::test;
using Catch::Contains;

namespace {

bool gnuplot_is_here() {
  if (std::system("gnuplot --version >/dev/null 2>&1") == 0) return true;
  report_skipped("there is no gnuplot");
  return false;
}

}  // namespace

TEST_CASE("lrqat-lab table --methods: one row for each width, sorted, the same for any threads",
          "[lab]") {
  const auto program = lab_program();
  if (!program || !gnuplot_is_here()) return;
  const LabBench bench(*program);
  const std::string arguments =
      "table --model model.bin --tokens train.u16 --dev dev.u16 --test test.u16 --rank 2 "
      "--steps 10 --batch 2 --json --methods rtn gptq-w3 peqa-w3 lr-qat-w3 lsq-w2 quest-w1 lr-qat-rotated-w2 "
      "llm-qat-w3 ada-round-w3 double-rounding lr-qat-nested-w2 qvgen-w3 gaqat-w3 efficient-dm-a8-w3 "
      "teacher-intervention edge-qat-w2 omniquant-let-w3 pb-llm fairy2i-w1 "
      "qllm-a8-w3 pb-llm-gptq lr-qat-salient-w2 ";
  const Finished ran = bench.run(arguments + "--out table");
  CAPTURE(ran.err);
  REQUIRE(ran.code == 0);
  const auto rows = nlohmann::json::parse(ran.out)["rows"];
  REQUIRE(rows.size() == 3 + 10 + 3 + 5 + 2 + 3);
  std::map<std::string, nlohmann::json> named;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    named[rows[i]["row"]] = rows[i];
    CHECK(std::isfinite(rows[i]["test_ppl"][0].get<double>()));
    CHECK(rows[i]["bits_per_weight"].get<double>() > rows[i]["bits"].get<int>());
    if (i == 0) continue;
    const bool same_width = rows[i]["bits"] == rows[i - 1]["bits"];
    CHECK((same_width ? rows[i - 1]["test_ppl"][0] <= rows[i]["test_ppl"][0]
                      : rows[i - 1]["bits"] > rows[i]["bits"]));
  }
  CHECK(named["rtn-w3"]["trainable"] == 0);
  CHECK(named["peqa-w3"]["trainable"] < named["lr-qat-w3"]["trainable"]);
  CHECK(named["lr-qat-w3"]["trainable"] < named["lsq-w2"]["trainable"]);
  CHECK_THAT(text_of(bench / "table/methods.svg"), Contains("<svg") && Contains("lr-qat-nested"));
  CHECK_THAT(text_of(bench / "table/methods.md"), Contains("| gptq-w3") && Contains("2210.17323"));

  auto alone = nlohmann::json::parse(bench.run(arguments + "--threads 1").out)["rows"];
  REQUIRE(alone.size() == rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    CAPTURE(rows[i]["row"].get<std::string>());
    CHECK(alone[i]["row"] == rows[i]["row"]);
    CHECK(alone[i]["test_ppl"] == rows[i]["test_ppl"]);
  }
}

TEST_CASE("lrqat-lab table --methods: wrong names and too few steps are errors before any row",
          "[lab]") {
  const auto program = lab_program();
  if (!program) return;
  const LabBench bench(*program);
  const std::string start = "table --model model.bin --tokens train.u16 ";
  const Finished wrong = bench.run(start + "--methods gptqq");
  CHECK(wrong.code == 2);
  CHECK_THAT(wrong.err, Contains("gptqq") && Contains("gptq, awq"));
  CHECK(bench.run(start + "--methods rtn --schemes fp32").code == 2);

  const Finished few = bench.run(start + "--methods rtn qvgen-w3 --steps 4");  // before any row
  CHECK(few.code == 2);
  CHECK_THAT(few.err, Contains("--steps 4: qvgen-w3 trains in 5 phases") && !Contains("rtn"));
}

TEST_CASE("draw: a plot names its series; nothing to draw and other files are errors", "[lab]") {
  if (!gnuplot_is_here()) return;
  const TemporaryFolder folder;
  const double inf = std::numeric_limits<double>::infinity();
  lab::LinePlot plot{.title = "a \"title\"", .x_label = "x", .y_label = "y", .log_y = true};
  plot.series = {{.name = "one_two", .x = {1, 2, 3}, .y = {10, 100, inf}},
                 {.name = "never", .x = {1}, .y = {inf}}};
  const auto file = folder.path() / "it's a plot.svg";
  lab::draw(plot, file);
  const std::string drawn = text_of(file);
  CHECK_THAT(drawn, Contains("one_two") && Contains("title") && !Contains("never"));
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
  const auto labelled = [](const std::string& label) { return Contains(">" + label + "<"); };
  CHECK_THAT(drawn, labelled(" 10") && labelled(" 100") && !labelled(" 1000"));
  plot.y_top = 30;
  lab::draw(plot, file);
  CHECK_THAT(text_of(file), labelled(" 10") && labelled(" 30") && !labelled(" 40"));

  CHECK_THROWS_WITH(lab::draw(plot, folder.path() / "plot.pdf"), Contains(".png"));
  plot.series.erase(plot.series.begin());
  CHECK_THROWS_WITH(lab::draw(plot, folder.path() / "plot.svg"), Contains("finite"));
}
