// SPDX-License-Identifier: MIT
// tests/lab/export.test.cpp: trained runs as files, and files as models.
#include "lab/lab_program.hpp"

#include "lab/model_source.hpp"

#include <lrqat/io/gguf_llama.hpp>
#include <lrqat/io/packed_hugging_face.hpp>

#include <nlohmann/json.hpp>

#include <catch2/catch.hpp>

#include <cstring>

using namespace lrqat;
using namespace lrqat::test;
using Catch::Contains;
using Catch::StartsWith;

namespace {

const std::string streams = "--tokens train.u16 --dev dev.u16 --test test.u16 ";

/// wide.bin, whose rows are whole blocks of 32, beside the bench's other files.
void write_wide_model(const LabBench& bench) {
  const LlamaConfig config{.dim = 32,
                           .hidden_dim = 64,
                           .layers = 2,
                           .heads = 4,
                           .kv_heads = 2,
                           .head_dim = 8,
                           .vocab = 64,
                           .context = 32};
  write_llama2c(bench / "wide.bin", lab::random_weights(config, 5));
}

bool same_bits(const AlignedVector<float>& a, const AlignedVector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

}  // namespace

TEST_CASE("lrqat-lab export: what was trained is what every file gives back", "[lab]") {
  const auto program = lab_program();
  if (!program) return;
  const LabBench bench(*program);
  write_wide_model(bench);
  for (const auto& [scheme, type] :
       {std::pair("w4-g32-q4.4-r2", GgmlType::q4_0), std::pair("u4-g32-peqa", GgmlType::q4_1)}) {
    const std::string run = std::string("runs/") + scheme;
    const auto trained =
        json_of(bench, "train --model wide.bin " + streams + "--tokenizer tokenizer.bin --steps 6 " +
                           "--batch 2 --json --scheme " + scheme + " --out " + run);
    CHECK(trained["scale_format"] == "fp16");
    const auto written = json_of(bench, "export " + run + " --format gguf --json");
    CHECK(written["exact"] == true);
    CHECK(written["bytes"] == std::filesystem::file_size(bench / (run + "/model.gguf")));
    CHECK(GgufFile(bench / (run + "/model.gguf")).tensor("blk.1.ffn_down.weight").type == type);
    json_of(bench, "export " + run + " --format safetensors --json");
    json_of(bench, "export " + run + " --format safetensors --dtype f32 --to plain --json");

    // Perplexity, bit for bit; the tokenizer comes with the file.
    for (const std::string& model : {run + "/model.gguf", run + "/packed"}) {
      const auto measured = json_of(bench, "eval " + model + " --tokens test.u16 --json");
      CHECK(measured["ppl"] == trained["test_ppl"]);
      CHECK(measured["bits_per_weight"] == trained["bits_per_weight"]);
      CHECK(measured["scheme"] == "stored");
      const std::string how = " --prompt DOG --tokens-out 8 --json";
      CHECK(json_of(bench, "generate " + model + how)["text"] ==
            json_of(bench, "generate " + run + how)["text"]);
    }
    const LlamaWeights plain = read_hugging_face(bench / "plain");
    const LlamaWeights gguf = read_gguf_llama(bench / (run + "/model.gguf")).weights;
    const LlamaWeights packed = read_packed_hugging_face(bench / (run + "/packed")).weights;
    CHECK(same_bits(plain.embedding, gguf.embedding));
    for (std::size_t b = 0; b < 2; ++b)
      for (const LinearKind kind : linear_kinds) {
        CHECK(same_bits(linear_weight(plain.blocks[b], kind), linear_weight(gguf.blocks[b], kind)));
        CHECK(
            same_bits(linear_weight(plain.blocks[b], kind), linear_weight(packed.blocks[b], kind)));
      }
    CHECK(json_of(bench, "eval plain --data text.txt --windows 2 --json")["ppl"] ==
          Approx(json_of(bench, "eval " + run + " --data text.txt --windows 2 --json")["ppl"]
                     .get<double>()));
  }
}

TEST_CASE("lrqat-lab export: plain models and 16 bits", "[lab]") {
  const auto program = lab_program();
  if (!program) return;
  const LabBench bench(*program);
  write_wide_model(bench);
  const LlamaWeights exact = read_llama2c(bench / "wide.bin");
  const std::string gguf = "export wide.bin --format gguf --tokenizer tokenizer.bin --json --to ";
  CHECK(json_of(bench, gguf + "f32.gguf")["exact"] == true);
  CHECK(
      same_bits(read_gguf_llama(bench / "f32.gguf").weights.blocks[1].gate, exact.blocks[1].gate));
  CHECK(json_of(bench, gguf + "f16.gguf --dtype f16")["exact"] == false);
  CHECK(read_gguf_llama(bench / "f16.gguf").weights.blocks[1].gate[7] ==
        static_cast<float>(half(exact.blocks[1].gate[7])));
  json_of(bench, "export wide.bin --format safetensors --dtype bf16 --json --to bf16");
  CHECK(read_hugging_face(bench / "bf16").blocks[1].query[7] ==
        static_cast<float>(bf16(exact.blocks[1].query[7])));
  // A scheme of a file's own is used again only where no other is asked for.
  json_of(bench, gguf + "w8.gguf --scheme w8-g32-rtn");
  CHECK(json_of(bench, "eval w8.gguf --tokens test.u16 --json")["bits_per_weight"] == 8.5);
  CHECK(json_of(bench, "eval w8.gguf --tokens test.u16 --json --scheme w2-pc-rtn")["scheme"] ==
        "w2-pc-rtn");
}

TEST_CASE("lrqat-lab export: what no file holds exactly is refused, and nothing is written",
          "[lab]") {
  const auto program = lab_program();
  if (!program) return;
  const LabBench bench(*program);
  write_wide_model(bench);
  const std::string gguf =
      "export wide.bin --format gguf --tokenizer tokenizer.bin --to new --scheme ";
  const std::pair<std::string, std::string> cases[] = {
      {gguf + "w3-g32-rtn", "Int<3>"},
      {gguf + "w4-pc-rtn", "PerGroup<32>"},
      {gguf + "w4-g16-rtn", "PerGroup<32>"},
      {gguf + "w4-pt-rtn", "PerGroup<32>"},
      {gguf + "u8-g32-rtn", "UInt<8>"},
      {gguf + "w4-g32-rtn --scale-format float", "Fp16Scale"},
      {gguf + "w4-g32-rtn --dtype bf16", "--dtype"},
      {"export model.bin --format gguf --tokenizer tokenizer.bin --to new --scheme w4-g8-rtn",
       "no multiple of 32"},
      {"export wide.bin --format gguf --to new", "--tokenizer"},
      {"export wide.bin --format gguf --tokenizer tokenizer.bin", "--to"},
      {"export wide.bin --to new", "--format"},
      {"export wide.bin --format onnx --to new", "--format"},
      {"export none.bin --format safetensors --to new", "none.bin"},
      {"export wide.bin --format safetensors --to text.txt", "text.txt"},
      {"eval text.txt.gguf --tokens test.u16", "text.txt.gguf"},
  };
  check_refused(bench, cases);
}

TEST_CASE("run.json: a run from before there were scale formats has float ones", "[lab]") {
  const auto program = lab_program();
  if (!program) return;
  const LabBench bench(*program);
  const auto trained = json_of(bench, "train --model model.bin " + streams +
                                          "--steps 4 --batch 2 --json --scale-format float "
                                          "--scheme w4-pc-q4.4-r2 --out run");
  CHECK(trained["scale_format"] == "float");
  const auto file = bench / "run/run.json";
  auto description = nlohmann::json::parse(text_of(file));
  CHECK_THAT(description["fingerprint"].get<std::string>(), !Contains("scales"));
  description.erase("scale_format");
  std::ofstream(file) << description;
  CHECK(json_of(bench, "eval run --tokens test.u16 --json")["ppl"] == trained["test_ppl"]);
  description["scale_format"] = "fp8";
  std::ofstream(file) << description;
  CHECK_THAT(bench.run("eval run --tokens test.u16").err, Contains("scale_format is 'fp8'"));
}
