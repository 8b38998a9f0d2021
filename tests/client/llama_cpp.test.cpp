// SPDX-License-Identifier: MIT
// tests/client/llama_cpp.test.cpp: llama.cpp runs what lrqat-lab trained and exported, and says the
// same: tokens, greedy text and log-probabilities; and so where rotary embeddings are scaled.
//
// llama.cpp itself comes from the npm registry (packages node-llama-cpp and
// @node-llama-cpp/linux-x64, without install scripts) into the build folder, once. Skipped where
// that cannot be.
#include "lab/lab_program.hpp"
#include "lab/layer_factory.hpp"
#include "lab/model_source.hpp"
#include "lab/text.hpp"

#include <lrqat/core/bf16.hpp>
#include <lrqat/core/numeric.hpp>
#include <lrqat/io/gguf_llama.hpp>
#include <lrqat/io/hugging_face.hpp>
#include <lrqat/linear/dense_linear.hpp>
#include <lrqat/nn/kv_cache.hpp>

#include <nlohmann/json.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>

using namespace lrqat;
using namespace lrqat::lab;
using namespace lrqat::test;

namespace {

const std::string node_version = "3.22.1";

bool runs(const std::string& command) {
  return std::system((command + " > /dev/null 2>&1").c_str()) == 0;
}

/// The folder with llama.cpp for node; nothing, aloud, where it cannot be had.
std::optional<std::filesystem::path> llama_cpp() {
  if (!runs("node --version") || !runs("npm --version")) {
    report_skipped("there is no node or no npm");
    return std::nullopt;
  }
  if (!runs("uname -sm | grep -qx 'Linux x86_64'")) {
    report_skipped("llama.cpp's package is for Linux on x86-64");
    return std::nullopt;
  }
  const std::filesystem::path folder =
      std::filesystem::read_symlink("/proc/self/exe").parent_path() / "llama_cpp";
  const std::filesystem::path done = folder / ("installed-" + node_version);
  if (!std::filesystem::exists(done)) {
    std::filesystem::create_directories(folder);
    std::ofstream(folder / "package.json") << "{\"private\": true}\n";
    const std::string install =
        "cd '" + folder.string() +
        "' && timeout 200 npm install --ignore-scripts --omit=optional "
        "--no-audit --no-fund --fetch-retries=1 --fetch-retry-maxtimeout=10000 "
        "node-llama-cpp@" +
        node_version + " @node-llama-cpp/linux-x64@" + node_version;
    if (!runs(install)) {
      report_skipped("npm cannot install node-llama-cpp " + node_version);
      return std::nullopt;
    }
    std::ofstream(done) << "";
  }
  return folder;
}

/// A layer that rounds its inputs as llama.cpp does beside quantized weights (type Q8_0): 32 of
/// them share a scale, the largest size / 127, which is used as a half to multiply with.
struct RoundedInputs {
  using scalar = float;
  AnyLinear layer;

  std::size_t in_features() const { return layer.in_features(); }
  std::size_t out_features() const { return layer.out_features(); }
  void forward(MatrixView<const float> x, MatrixView<float> y) const {
    std::vector<float> rounded(x.rows * x.cols);
    for (std::size_t row = 0; row < x.rows; ++row)
      for (std::size_t first = 0; first < x.cols; first += 32) {
        float largest = 0;
        for (std::size_t j = 0; j < 32; ++j)
          largest = std::max(largest, std::fabs(x(row, first + j)));
        const float scale = largest / 127.0f, inverse = scale == 0.0f ? 0.0f : 1.0f / scale;
        for (std::size_t j = 0; j < 32; ++j)
          rounded[row * x.cols + first + j] =
              static_cast<float>(half(scale)) * round_half_even(x(row, first + j) * inverse);
      }
    layer.forward({rounded.data(), x.rows, x.cols}, y);
  }
};

using LogProbabilities = std::vector<std::vector<double>>;

/// After each token but the last, of every token.
LogProbabilities log_probabilities(Model& model, const std::vector<Token>& tokens) {
  const std::size_t count = tokens.size() - 1, vocab = model.config().vocab;
  std::vector<float> logits(count * vocab);
  model.forward(std::span(tokens).first(count), 1, count, {logits.data(), count, vocab});
  LogProbabilities all(count, std::vector<double>(vocab));
  for (std::size_t t = 0; t < count; ++t) {
    const auto* const row = logits.data() + t * vocab;
    const double most = *std::max_element(row, row + vocab);
    double sum = 0;
    for (std::size_t v = 0; v < vocab; ++v) sum += std::exp(row[v] - most);
    for (std::size_t v = 0; v < vocab; ++v) all[t][v] = row[v] - most - std::log(sum);
  }
  return all;
}

/// The largest and the root mean square difference over tokens that are likelier than e^-12; what
/// is never said has log-probabilities that nothing constrains.
struct Difference {
  double largest = 0, root_mean_square = 0;
};
Difference difference(const LogProbabilities& a, const LogProbabilities& b) {
  Difference result;
  double sum = 0;
  std::size_t count = 0;
  for (std::size_t t = 0; t < a.size(); ++t)
    for (std::size_t v = 0; v < a[t].size(); ++v) {
      if (a[t][v] < -12) continue;
      const double error = std::fabs(a[t][v] - b[t][v]);
      result.largest = std::max(result.largest, error);
      sum += error * error;
      ++count;
    }
  result.root_mean_square = std::sqrt(sum / static_cast<double>(count));
  return result;
}

/// The tokens and their likeliest continuation, `count` more.
std::vector<Token> greedy(Model& model, std::vector<Token> tokens, std::size_t count) {
  KvCache<float> cache(model.config());
  std::span<const float> next = model.prefill(tokens, cache);
  for (std::size_t i = 0; i < count; ++i) {
    tokens.push_back(static_cast<Token>(std::max_element(next.begin(), next.end()) - next.begin()));
    next = model.step(tokens.back(), cache);
  }
  return tokens;
}

/// What the client says about a model: see llama_cpp.mjs.
struct Answer {
  LogProbabilities log_probabilities;
  std::vector<Token> greedy, encoded;
};
Answer ask(const std::filesystem::path& client, const LabBench& bench, const std::string& model,
           const std::vector<Token>& tokens, std::size_t prompt, const std::string& text) {
  std::ofstream(bench / "request.json")
      << nlohmann::json{{"tokens", tokens}, {"prompt", prompt}, {"text", text}};
  std::filesystem::copy_file(LRQAT_SOURCE_DIR "/tests/client/llama_cpp.mjs",
                             client / "llama_cpp.mjs",
                             std::filesystem::copy_options::overwrite_existing);
  std::string command = "cd '" + client.string() + "' && timeout 200 node llama_cpp.mjs";
  for (const std::string& file : {model, std::string("request.json"), std::string("answer.json")})
    command += " '" + (bench / file).string() + "'";
  const int code =
      std::system((command + " > '" + (bench / "node.txt").string() + "' 2>&1").c_str());
  CAPTURE(text_of(bench / "node.txt"));
  REQUIRE(code == 0);
  const auto answer = nlohmann::json::parse(text_of(bench / "answer.json"));
  return {answer["log_probabilities"].get<LogProbabilities>(),
          answer["greedy"].get<std::vector<Token>>(), answer["encoded"].get<std::vector<Token>>()};
}

}  // namespace

TEST_CASE("llama.cpp: a model trained by LR-QAT at W4 in groups of 32 says the same there",
          "[client]") {
  const auto data = data_folder();
  const auto program = lab_program();
  if (!data || !program) return;
  const auto client = llama_cpp();
  if (!client) return;
  const LabBench bench(*program);
  const std::string texts = "'" + (*data / "tokens/babyllama-tok361/ts3000-").string();
  const Finished trained =
      bench.run("train --model '" + (*data / "hf/babyllama-tok361").string() + "' --tokenizer '" +
                (*data / "babyllama/tok361.bin").string() + "' --tokens " + texts +
                "dev.u16' --dev " + texts + "test.u16' --test " + texts +
                "test.u16' --windows 2 --scheme w4-g32-q4.4-r8 --steps 20 --batch 2 --out run");
  CAPTURE(trained.err);
  REQUIRE(trained.code == 0);
  for (const char* arguments :
       {"run --format gguf --to w4.gguf", "run --format safetensors --dtype f32 --to plain",
        "plain --format gguf --to f32.gguf"}) {
    const Finished exported = bench.run(std::string("export ") + arguments);
    CAPTURE(exported.err);
    REQUIRE(exported.code == 0);
  }

  const ModelSource source = open_model(bench / "w4.gguf");
  Model model = make_model(source, Adaptation{});
  std::size_t next = 0;
  Model rounded(source.weights, [&](MatrixView<const float>, const LinearName&) {
    return AnyLinear(RoundedInputs{make_layer(source.layers.at(next++).value())});
  });
  const auto tokenizer = read_tokenizer(source.tokenizer, model.config().vocab);
  const std::string text = "Once upon a time, there was a little girl named Lily. \xC3\xA9\n";
  const std::vector<Token> prompt = tokenizer->encode("Once upon a time, there was", Bos::prepend);
  const std::vector<Token> tokens = greedy(model, prompt, 60);
  const std::vector<Token> continuation(tokens.begin() + std::ptrdiff_t(prompt.size()),
                                        tokens.end());
  const LogProbabilities ours = log_probabilities(model, tokens),
                         ours_rounded = log_probabilities(rounded, tokens);

  const auto check_tokens = [&](const Answer& theirs) {
    CHECK(theirs.greedy == continuation);
    CHECK(theirs.encoded == tokenizer->encode(text, Bos::omit));
    REQUIRE(theirs.log_probabilities.size() == ours.size());
  };

  // The same weights in F32, which llama.cpp does not round: sums of at most 352 products in
  // another order, on logits below 30: 352 * 2^-24 * 30. Measured: 2e-5.
  const Answer in_f32 = ask(*client, bench, "f32.gguf", tokens, prompt.size(), text);
  check_tokens(in_f32);
  CHECK(difference(ours, in_f32.log_probabilities).largest < 6e-4);

  // In Q4_0, llama.cpp rounds the inputs of each product to 8 bits. The same rounding, done here,
  // says how far that alone moves log-probabilities. llama.cpp adds in another order, so that here
  // and there a value falls on the other side of a rounding, and then others after it: a second
  // sample of errors of one size, not the same errors. Its root mean square over thousands of
  // log-probabilities is as large (measured: 1.06 times), its largest of them at most twice.
  const Answer in_q4_0 = ask(*client, bench, "w4.gguf", tokens, prompt.size(), text);
  check_tokens(in_q4_0);
  const Difference explained = difference(ours, ours_rounded),
                   found = difference(ours, in_q4_0.log_probabilities);
  CAPTURE(explained.largest, explained.root_mean_square, found.largest, found.root_mean_square);
  CHECK(explained.root_mean_square < 0.1);  // nats
  CHECK(found.root_mean_square < 1.5 * explained.root_mean_square);
  CHECK(found.largest < 2 * explained.largest);
}

TEST_CASE("llama.cpp: scaled rotary embeddings turn by the same angles there", "[client]") {
  const auto data = data_folder();
  const auto program = lab_program();
  if (!data || !program) return;
  const auto client = llama_cpp();
  if (!client) return;
  const LabBench bench(*program);
  LlamaWeights weights = read_hugging_face(*data / "hf/babyllama-tok361");
  const auto tokenizer = read_tokenizer(*data / "babyllama/tok361.bin", weights.config.vocab);
  const std::string text = "Once upon a time, there was a little girl named Lily.";
  const std::vector<Token> prompt = tokenizer->encode(text, Bos::prepend);
  LogProbabilities unscaled;
  for (const RopeScaling& scaling :
       {RopeScaling(), RopeScaling(LinearRopeScaling{1.7f}),
        RopeScaling(Llama3RopeScaling{.factor = 8.0f, .original_context = 48})}) {
    CAPTURE(scaling.index());
    weights.config.rope_scaling = scaling;
    Model model(weights, [](MatrixView<const float> weight, const LinearName&) {
      return AnyLinear(DenseLinear<float>(weight, {Training::frozen, {}}));
    });
    write_gguf_llama(bench / "scaled.gguf", LlamaToStore::of(model), tokenizer->vocabulary());
    const std::vector<Token> tokens = greedy(model, prompt, 40);
    const LogProbabilities ours = log_probabilities(model, tokens);
    const Answer theirs = ask(*client, bench, "scaled.gguf", tokens, prompt.size(), text);
    // F32 on both sides; see above.
    CHECK(difference(ours, theirs.log_probabilities).largest < 6e-4);
    if (!is_scaled(scaling)) {
      unscaled = ours;
      continue;
    }
    // That scaling moves them by far more, at the prompt's tokens, which are always the same.
    double moved = 0;
    for (std::size_t t = 0; t + 1 < prompt.size(); ++t)
      for (std::size_t v = 0; v < ours[t].size(); ++v)
        if (unscaled[t][v] > -12) moved = std::max(moved, std::fabs(ours[t][v] - unscaled[t][v]));
    CHECK(moved > 0.1);
  }
}
