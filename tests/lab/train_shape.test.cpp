// SPDX-License-Identifier: MIT
// tests/lab/train_shape.test.cpp: training steps of a shape, their memory, and the seed's weights.
#include "lab/shaped_model.hpp"

#include "lab/lab_program.hpp"
#include "lab/memory_parts.hpp"
#include "lab/pace.hpp"
#include "lab/scheme_names.hpp"
#include "lab/shapes.hpp"

#include <nlohmann/json.hpp>

#include <catch2/catch.hpp>

#include <cmath>
#include <vector>

using namespace lrqat;
using namespace lrqat::lab;
using namespace lrqat::test;
using Catch::Contains;
using Catch::StartsWith;

TEST_CASE("train --shape: time, pace and memory as one JSON object", "[lab]") {
  const auto program = lab_program();
  if (!program) return;
  const LabBench bench(*program);
  const std::string arguments = "train --shape stories15m --context 16 --json ";
  for (const std::string storage : {"packed", "fixed-point", "bf16", "fp32"}) {
    const Finished ran = bench.run(arguments + "--rank 4 --storage " + storage);
    CAPTURE(storage, ran.err);
    REQUIRE(ran.code == 0);
    const auto object = nlohmann::json::parse(ran.out);
    CHECK(object["steps"] == 1);
    CHECK(object["tokens_per_step"] == 16);
    CHECK(object["linear_weights"] == 6 * (4 * 288 * 288 + 3 * 288 * 768));
    // A and B of rank 4, and a scale for each output.
    CHECK(object["trainable"] == 6 * (4 * (4 * 576 + 288) + 3 * (4 * 1056) + 2 * 768 + 288));
    for (const char* key : {"seconds_per_step", "tokens_per_second", "making_seconds",
                            "fraction_of_peak", "fraction_with_recompute", "peak_flops"})
      CHECK(object[key].get<double>() > 0);
    CHECK(object["fraction_of_peak"] < object["fraction_with_recompute"]);
    CHECK(object["loss"].get<double>() == Approx(std::log(32000)).margin(2));

    const auto memory = object["memory"];
    const double weights = object["linear_weights"], trainable = object["trainable"];
    const double bytes = storage == "packed" ? 0.5
                         : storage == "bf16" ? 2
                         : storage == "fp32" ? 4
                                             : 1;
    CHECK(memory["base"] == bytes * weights);
    CHECK(memory["gradients"] == 4 * trainable);
    CHECK(memory["moments"] == 8 * trainable);
    CHECK(memory["scales"].get<double>() + memory["adapters"].get<double>() == 4 * trainable);
    CHECK(memory["embedding_and_head"] == 2 * 32000 * 288 + 4 * 13 * 288);
    std::size_t sum = 0;
    for (const auto& [key, value] : memory.items())
      if (key != "sum" && key != "resident_peak") sum += value.get<std::size_t>();
    CHECK(memory["sum"] == sum);
    CHECK(memory["resident_peak"].get<double>() > 0.8 * static_cast<double>(sum));
  }
}

TEST_CASE("train --shape: the same loss for any threads, and close to it in bfloat16", "[lab]") {
  const auto program = lab_program();
  if (!program) return;
  const LabBench bench(*program);
  const std::string arguments =
      "train --shape stories15m --context 8 --steps 3 --batch 2 --storage packed --json ";
  const auto loss = [&](const std::string& more) {
    const Finished ran = bench.run(arguments + more);
    CAPTURE(more, ran.err);
    REQUIRE(ran.code == 0);
    const auto object = nlohmann::json::parse(ran.out);
    CHECK(object["scheme"] == "w4-pc-int4-r32-minmax");
    return object["loss"].get<double>();
  };
  const double usual = loss("");
  CHECK(loss("--threads 1") == usual);
  CHECK(loss("--threads 3") == usual);
  CHECK(loss("--seed 2") != usual);
  // Rounding x to 8 bits of precision moves a logit by some 2^-9 of its size, on average far less.
  CHECK(loss("--compute bf16") == Approx(usual).margin(0.1));
}

TEST_CASE("train --shape: text for a person", "[lab]") {
  const auto program = lab_program();
  if (!program) return;
  const LabBench bench(*program);
  const Finished ran =
      bench.run("train --shape stories15m --context 8 --scheme w2-g32-q2.6-r2-minmax");
  CAPTURE(ran.err);
  REQUIRE(ran.code == 0);
  CHECK_THAT(ran.out, StartsWith("stories15m, w2-g32-q2.6-r2-minmax, products in float") &&
                          Contains("time of a step") && Contains("of the ceiling") &&
                          Contains("optimizer moments") && Contains("resident at the peak"));
  CHECK_THAT(ran.err, Contains("layers made 42 of 42") && Contains("block passes 12 of 12"));
}

TEST_CASE("train --shape and --storage: what does not fit together is one sentence", "[lab]") {
  const auto program = lab_program();
  if (!program) return;
  const LabBench bench(*program);
  const std::string shape = "train --shape stories15m ";
  const std::string model = "train --model model.bin --tokens train.u16 ";
  const std::pair<std::string, std::string> cases[] = {
      {"train", "--shape"},
      {shape + "--model model.bin", "exclude each other"},
      {shape + "--tokens train.u16", "--tokens is for --model"},
      {shape + "--out new", "--out is for --model"},
      {"train --shape llama3-900b", "llama2-7b"},
      {"train --shape ''", "there is no shape ''"},
      {shape + "--context 257", "256"},
      {shape + "--steps 100000000", "at most"},
      {shape + "--scheme w4-pc-rtn", "nothing to train"},
      {shape + "--scheme w4-g900-q4.4-minmax", "groups of 900"},
      {shape + "--scheme w4-pc-peqa-minmax --storage packed", "has none"},
      {model + "--scheme w4-pc-lsq --storage bf16", "has none"},
      {model + "--storage paper", "paper"},
      {model + "--compute int8", "int8"},
      {model + "--compute bf16 --scheme w3-pc-q3.5-r2", "w4-pc-q4.4-r8"},
      {shape + "--compute bf16 --storage fp32", "w4-pc-q4.4-r8"},
  };
  check_refused(bench, cases);
}

TEST_CASE("train --model: --storage and --compute change the run, and its folder knows", "[lab]") {
  const auto program = lab_program();
  if (!program) return;
  const LabBench bench(*program);
  const std::string arguments =
      "train --model model.bin --tokens train.u16 --dev dev.u16 --test test.u16 --steps 6 --json "
      "--scheme w4-pc-q4.4-r2 ";
  const auto plain = nlohmann::json::parse(bench.run(arguments).out);
  CHECK(plain["fraction_of_peak"].get<double>() > 0);
  CHECK(plain["fraction_of_peak"] == plain["fraction_with_recompute"]);
  const auto packed = nlohmann::json::parse(bench.run(arguments + "--storage packed").out);
  CHECK(packed["scheme"] == "w4-pc-int4-r2");
  const Finished ran = bench.run(arguments + "--compute bf16 --out run");
  CAPTURE(ran.err);
  REQUIRE(ran.code == 0);
  const auto rounded = nlohmann::json::parse(ran.out);
  CHECK(rounded["compute"] == "bf16");
  CHECK(rounded["test_ppl"] != plain["test_ppl"]);
  CHECK(rounded["merged_ppl"] == rounded["test_ppl"]);
  const auto again = nlohmann::json::parse(bench.run("eval run --tokens test.u16 --json").out);
  CHECK(again["ppl"] == rounded["test_ppl"]);
  CHECK(bench.run(arguments + "--resume --out run").code == 2);  // in float: another run
}

TEST_CASE("seeded_weight: bell-shaped, as wide as asked for, the same for every caller", "[lab]") {
  const Shape shape{200, 501};
  const WeightSource weight = seeded_weight(shape, 0.5f, 3, 8);
  std::vector<float> row(shape.cols), again(shape.cols);
  double sum = 0, squares = 0, fourth = 0;
  for (std::size_t i = 0; i < shape.rows; ++i) {
    weight.rows(i, row);
    for (const double value : row) {
      sum += value;
      squares += value * value;
      fourth += value * value * value * value;
    }
  }
  const double count = static_cast<double>(shape.size());
  // Five standard errors of 100,200 numbers; the fourth moment of a sum of four uniforms is 2.7.
  CHECK(std::abs(sum / count) < 5 * 0.5 / std::sqrt(count));
  CHECK(squares / count == Approx(0.25).epsilon(5 * std::sqrt(1.7 / count)));
  CHECK(fourth / count / 0.0625 == Approx(2.7).epsilon(0.05));
  weight.rows(7, row);
  weight.rows(7, again);
  CHECK(row == again);
  seeded_weight(shape, 0.5f, 3, 9).rows(7, again);
  CHECK(row != again);
}

TEST_CASE("pace_of: six operations for each weight and token, more with recomputation", "[lab]") {
  const LlamaConfig config = named_shapes[0].config;
  const Pace keep = pace_of(config, Recompute::keep, 1000);
  const double weights = 5971968;
  CHECK(keep.peak_flops > 0);
  CHECK(keep.fraction_of_peak == Approx(6 * weights * 1000 / keep.peak_flops));
  CHECK(keep.fraction_with_recompute == keep.fraction_of_peak);
  const Pace again = pace_of(config, Recompute::per_block, 1000);
  const double down = 288 * 768;
  CHECK(again.fraction_with_recompute ==
        Approx((6 * weights + 2 * (weights / 6 - down) * 5) * 1000 / again.peak_flops));
  CHECK_THAT(pace_text(again), Contains("% of ") && Contains("computed again"));
}

TEST_CASE("memory_text: a sum that misses the system's count says so", "[lab]") {
  MemoryParts memory{{{"a", "first", 60 << 20}, {"b", "second", 30 << 20}}, 91u << 20};
  CHECK_THAT(memory_text(memory), !Contains("is not in the parts"));
  memory.resident = 100u << 20;
  CHECK(memory.difference() == Approx(-0.1));
  CHECK_THAT(memory_text(memory), Contains("-10 %") && Contains("is not in the parts"));
  memory.resident.reset();
  CHECK_THAT(memory_text(memory), Contains("does not tell"));
  CHECK(memory_json(memory)["resident_peak"].is_null());
}
