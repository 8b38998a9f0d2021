// SPDX-License-Identifier: MIT
// tests/lab/commands.test.cpp: every command from the outside, with good and with bad input.
#include "lab/lab_program.hpp"

#include <nlohmann/json.hpp>

#include <catch2/catch.hpp>

#include <cmath>

using namespace lrqat;
using namespace lrqat::test;
using Catch::Contains;
using Catch::StartsWith;

namespace {

const std::string texts = "--tokens train.u16 --dev dev.u16 --test test.u16 ";

}  // namespace

TEST_CASE("lrqat-lab: every command teaches with an example", "[lab]") {
  const auto program = lab_program();
  if (!program) return;
  const LabBench bench(*program);
  const Finished help = bench.run("--help");
  CHECK(help.code == 0);
  for (const std::string command : {"table", "train", "eval", "sweep", "generate", "export", "schemes"}) {
    CHECK_THAT(help.out, Contains(command));
    const Finished one = bench.run(command + " --help");
    CHECK(one.code == 0);
    CHECK_THAT(one.out, Contains("Example") && Contains("lrqat-lab " + command));
    CHECK(one.err.empty());
  }
  CHECK_THAT(bench.run("schemes").out, Contains("w4-pc-q4.4-r32") && Contains("2406.06385"));
  CHECK_THAT(bench.run("--version").out, StartsWith("lrqat 0."));
}

TEST_CASE("lrqat-lab eval: one JSON object", "[lab]") {
  const auto program = lab_program();
  if (!program) return;
  const LabBench bench(*program);
  for (const std::string scheme :
       {"fp32", "w4-pc-rtn", "u3-g8-rtn-minmax", "w2-pt-rtn-l2.4", "w8-pc-q8.0-r2", "w4-pc-lsq"}) {
    const Finished ran = bench.run("eval model.bin --tokens test.u16 --json --scheme " + scheme);
    CAPTURE(scheme, ran.err);
    REQUIRE(ran.code == 0);
    const auto object = nlohmann::json::parse(ran.out);
    CHECK(object["targets"] == 9 * 32);
    CHECK(object["ppl"].get<double>() == std::exp(object["nll"].get<double>()));
    CHECK(object["scheme"] == scheme);
  }
  const Finished text = bench.run(
      "eval --model model.bin --data text.txt --tokenizer tokenizer.bin --json --windows 3");
  CAPTURE(text.err);
  const auto object = nlohmann::json::parse(text.out);
  CHECK(object["targets"] == 3 * 32);
  CHECK(object["bits_per_byte"].get<double>() > 0);
}

TEST_CASE("lrqat-lab train: the last line is the result; any number of threads gives it", "[lab]") {
  const auto program = lab_program();
  if (!program) return;
  const LabBench bench(*program);
  const std::string arguments =
      "train --model model.bin " + texts + "--steps 12 --batch 2 --json --scheme ";
  for (const std::string scheme : {"w4-pc-q4.4-r2", "w2-g8-int2-r2", "u3-pc-peqa", "w3-pc-lsq",
                                   "w4a8kv4-pc-q4.4-r2",
                                   "w4a4r-pc-lsq", "w4-pc-wd-r2", "w2-pc-bf16-r4", "fp32-tuned"}) {
    const Finished ran = bench.run(arguments + scheme);
    CAPTURE(scheme, ran.err);
    REQUIRE(ran.code == 0);
    const auto object = nlohmann::json::parse(ran.out);
    for (const char* key : {"dev_ppl", "test_ppl", "train_seconds", "tokens_per_second",
                            "linear_peak_bytes", "trainable", "bits_per_weight"})
      CHECK(object[key].get<double>() > 0);
    CHECK(object["steps"] == 12);
    CHECK(object["scheme"] == scheme);
    if (scheme != "fp32-tuned") CHECK(object["merged_ppl"] == object["test_ppl"]);
    const auto alone = nlohmann::json::parse(bench.run(arguments + scheme + " --threads 1").out);
    CHECK(alone["test_ppl"] == object["test_ppl"]);
    const auto less = nlohmann::json::parse(bench.run(arguments + scheme + " --recompute").out);
    CHECK(less["test_ppl"] == object["test_ppl"]);
  }
}

TEST_CASE("lrqat-lab: a run folder is measured and generates like the run itself", "[lab]") {
  const auto program = lab_program();
  if (!program) return;
  const LabBench bench(*program);
  const Finished ran = bench.run("train --model model.bin " + texts +
                                 "--steps 10 --json --scheme w3-pc-q3.5-r2 --out runs/a");
  CAPTURE(ran.err);
  REQUIRE(ran.code == 0);
  const auto trained = nlohmann::json::parse(ran.out);
  const auto run = nlohmann::json::parse(text_of(bench / "runs/a/run.json"));
  CHECK(run["state"] == "finished");
  CHECK(run["result"] == trained);
  const auto measured = json_of(bench, "eval runs/a --tokens test.u16 --json");
  CHECK(measured["ppl"] == trained["test_ppl"]);
  const Finished told =
      bench.run("generate runs/a --tokenizer tokenizer.bin --prompt DOG --tokens-out 5 --json");
  CAPTURE(told.err);
  CHECK(nlohmann::json::parse(told.out)["text"].get<std::string>().substr(0, 3) == "DOG");
  CHECK_THAT(told.err, Contains("prefill") && Contains("decode"));

  CHECK(nlohmann::json::parse(told.out)["cache_bits"] == 32);

  CHECK(bench.run("eval runs/a --tokens test.u16 --scheme w4-pc-rtn").code == 2);
  write_llama2c(bench / "model.bin",
                lab::random_weights(read_llama2c(bench / "model.bin").config, 4));
  CHECK_THAT(bench.run("eval runs/a --tokens test.u16").err, Contains("has changed"));
}

TEST_CASE("lrqat-lab: a run with quantized activations keeps them, and generates from codes",
          "[lab]") {
  const auto program = lab_program();
  if (!program) return;
  const LabBench bench(*program);
  const Finished ran = bench.run("train --model model.bin " + texts +
                                 "--steps 4 --json --scheme w4a8kv4-pc-q4.4-r2 --out runs/a");
  CAPTURE(ran.err);
  REQUIRE(ran.code == 0);
  const auto trained = nlohmann::json::parse(ran.out);
  CHECK(trained["merged_ppl"] == trained["test_ppl"]);
  const auto measured = json_of(bench, "eval runs/a --tokens test.u16 --json");
  CHECK(measured["scheme"] == "w4a8kv4-pc-q4.4-r2");
  CHECK(measured["ppl"] == trained["test_ppl"]);
  const auto told = [&](const std::string& what) {
    return json_of(bench, "generate " + what + " --tokenizer tokenizer.bin --tokens-out 9 --json");
  };
  const auto four = told("runs/a"), eight = told("model.bin --scheme w4a8-pc-rtn"),
             whole = told("model.bin --scheme w4-pc-rtn");
  CHECK(four["products"] == "integers");
  CHECK(whole["products"] == "floats");
  CHECK(four["cache_bits"] == 4);
  CHECK(four["tokens"].get<int>() > 0);
  CHECK(four["cache_bytes"] < eight["cache_bytes"]);
  CHECK(eight["cache_bytes"] < whole["cache_bytes"]);
  const Finished refused = bench.run("export runs/a --format safetensors");
  CHECK(refused.code == 2);
  CHECK_THAT(refused.err, Contains("w4a8kv4-pc-q4.4-r2") && Contains("weights alone"));
}

TEST_CASE("lrqat-lab table: rows in Markdown and JSON", "[lab]") {
  const auto program = lab_program();
  if (!program) return;
  const LabBench bench(*program);
  const Finished ran = bench.run("table --model model.bin " + texts +
                                 "--steps 4 --rank 2 --group 8 --seeds 2 --out results");
  CAPTURE(ran.err);
  REQUIRE(ran.code == 0);
  CHECK_THAT(ran.out, StartsWith("| scheme") && Contains("| fp32-tuned") &&
                          Contains("w4-pc-q4.4-r2") && Contains("w3-g8-lsq") && Contains(" +- "));
  CHECK(text_of(bench / "results/table.md") == ran.out);
  CHECK(nlohmann::json::parse(text_of(bench / "results/table.json"))["rows"].size() == 32);
  const Finished chosen = bench.run(
      "table model.bin --tokens train.u16 --steps 2 --json "
      "--schemes fp32 w2-pc-rtn w2-pc-peqa");
  CHECK(nlohmann::json::parse(chosen.out)["rows"].size() == 3);
  CHECK_THAT(chosen.err, Contains("--test was not given") && Contains("held out"));
  const Finished activations = bench.run("table --model model.bin " + texts +
                                         "--steps 2 --rank 2 --activations");
  CAPTURE(activations.err);
  for (const char* scheme : {"| fp32", "w4a8-pc-rtn", "w4a8kv4-pc-peqa", "w4a4-pc-q4.4-r2"})
    CHECK_THAT(activations.out, Contains(scheme));
}

TEST_CASE("lrqat-lab: bad input is one sentence, exit code 2, and nothing half-written", "[lab]") {
  const auto program = lab_program();
  if (!program) return;
  const LabBench bench(*program);
  std::ofstream(bench / "odd.u16") << "abc";
  std::ofstream(bench / "empty.u16");
  std::ofstream(bench / "big.u16") << std::string(200, '\xff');
  std::ofstream(bench / "file") << "x";
  const std::string train = "train --model model.bin " + texts + "--out new ";
  const std::pair<std::string, std::string> cases[] = {
      {"levitate", "levitate"},
      {"eval --model none.bin --tokens test.u16", "none.bin"},
      {"eval --model test.u16 --tokens test.u16", "test.u16"},
      {"eval --model . --tokens test.u16", "config.json"},
      {"eval --model model.bin", "--tokens"},
      {"eval --tokens test.u16", "model"},
      {"eval model.bin --tokens test.u16 --data text.txt", "one of them"},
      {"eval model.bin --tokens odd.u16", "odd.u16"},
      {"eval model.bin --tokens empty.u16", "empty.u16"},
      {"eval model.bin --tokens big.u16", "big.u16"},
      {"eval model.bin --data text.txt", "--tokenizer"},
      {"eval model.bin --data text.txt --tokenizer file", "file"},
      {"eval model.bin --tokens test.u16 --scheme w4-pc-rnt", "w4-pc-rtn"},
      {"eval model.bin --tokens test.u16 --scheme w4-g17-rtn", "17"},
      {"eval model.bin --tokens test.u16 --context 33", "32"},
      {"eval model.bin --tokens test.u16 --context 0", "--context"},
      {"eval model.bin --tokens test.u16 --windows -1", "--windows"},
      {"eval model.bin --tokens test.u16 --threads 0", "--threads"},
      {"eval model.bin --tokens test.u16 > /dev/full", "written"},
      {train + "--scheme w4-pc-rtn", "nothing to train"},
      {train + "--scheme w4-pc-peqa --lr 0.1", "--lr-scale"},
      {train + "--steps 0", "--steps"},
      {train + "--steps 1e99", "--steps"},
      {train + "--lr nan", "--lr"},
      {train + "--lr-scale inf", "--lr-scale"},
      {train + "--alpha -1", "--alpha"},
      {train + "--rank 0", "--rank"},
      {train + "--batch 65536 --accumulate 65537", "--accumulate"},
      {train + "--batch 65536", "--accumulate"},
      {train + "--seed -1", "--seed"},
      {"train --model model.bin --tokens dev.u16 --context 32 --out new --dev none.u16",
       "none.u16"},
      {"train --model model.bin " + texts + "--out file", "file"},
      {"train --model model.bin " + texts + "--out /proc/new", "/proc/new"},
      {"train --model model.bin " + texts + "--resume", "--out"},
      {"generate model.bin", "--tokenizer"},
      {"generate model.bin --tokenizer tokenizer.bin --tokens-out 100", "context"},
      {"generate model.bin --tokenizer tokenizer.bin --temperature nan", "--temperature"},
      {"generate model.bin --tokenizer tokenizer.bin --top-p 0", "--top-p"},
      {"table model.bin --tokens empty.u16", "empty.u16"},
      {"table model.bin " + texts + "--seeds 0", "--seeds"},
  };
  check_refused(bench, cases);
}
