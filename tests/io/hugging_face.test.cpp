// SPDX-License-Identifier: MIT
// io/hugging_face.test.cpp: the same model as other files hold, whole or in shards; what is
// refused.
#include <lrqat/io/hugging_face.hpp>

#include "hugging_face_folder.hpp"
#include "small_llama.hpp"
#include "plain_files.hpp"

#include <lrqat/io/llama2c.hpp>
#include <support/data.hpp>

#include <catch2/catch.hpp>

using lrqat::LlamaWeights;
using lrqat::read_hugging_face;
using lrqat::test::equal;
using lrqat::test::error_of;
using lrqat::test::hugging_face_config;
using lrqat::test::hugging_face_tensors;
using lrqat::test::small_llama;
using lrqat::test::write_shards;

namespace {

void write_config(const std::filesystem::path& folder, const nlohmann::json& config) {
  lrqat::write_file(folder / "config.json", config.dump());
}

/// The weights after a trip through a narrower type.
template <class Narrow>
LlamaWeights rounded(LlamaWeights weights) {
  const auto round = [](lrqat::AlignedVector<float>& values) {
    for (float& value : values) value = static_cast<float>(Narrow(value));
  };
  for (auto* values : {&weights.embedding, &weights.final_norm, &weights.head}) round(*values);
  for (LlamaWeights::Block& block : weights.blocks)
    for (const auto& tensor : lrqat::detail::block_tensors) round(block.*tensor.member);
  return weights;
}

}  // namespace

TEST_CASE("read_hugging_face: real folders hold the weights of their llama2.c files", "[io]") {
  const auto data = lrqat::test::data_folder();
  if (!data) return;
  CHECK(equal(read_hugging_face(*data / "hf/stories260K"),
              lrqat::read_llama2c(*data / "tinyllamas/stories260K.bin")));
  CHECK(equal(read_hugging_face(*data / "hf/babyllama-tok361"),
              lrqat::read_llama2c(*data / "babyllama/babyllama-tok361.bin")));
}

TEST_CASE("read_hugging_face: a real model in bf16 shards is the rounded original", "[io]") {
  const auto data = lrqat::test::data_folder();
  if (!data) return;
  const lrqat::test::TemporaryFolder folder;
  const LlamaWeights weights = lrqat::read_llama2c(*data / "tinyllamas/stories260K.bin");
  write_config(folder.path(), hugging_face_config(weights.config));
  write_shards(folder.path(), hugging_face_tensors<lrqat::bf16>(weights, "BF16").tensors, 3);
  CHECK(equal(read_hugging_face(folder.path()), rounded<lrqat::bf16>(weights)));
}

TEST_CASE("read_hugging_face: shared and own heads, three dtypes, one file or two", "[io]") {
  for (const bool tied_head : {true, false}) {
    for (const std::size_t shards : {1u, 2u}) {
      const lrqat::test::TemporaryFolder folder;
      const LlamaWeights weights = small_llama(tied_head);
      write_config(folder.path(), hugging_face_config(weights.config));
      write_shards(folder.path(), hugging_face_tensors<float>(weights, "F32").tensors, shards);
      CHECK(equal(read_hugging_face(folder.path()), weights));
      write_shards(folder.path(), hugging_face_tensors<lrqat::half>(weights, "F16").tensors,
                   shards);
      CHECK(equal(read_hugging_face(folder.path()), rounded<lrqat::half>(weights)));
      write_shards(folder.path(), hugging_face_tensors<lrqat::bf16>(weights, "BF16").tensors,
                   shards);
      CHECK(equal(read_hugging_face(folder.path()), rounded<lrqat::bf16>(weights)));
    }
  }
}

TEST_CASE("read_hugging_face: heads may be wider than dim / heads", "[io]") {
  const lrqat::test::TemporaryFolder folder;
  LlamaWeights weights = small_llama(true);
  weights.config.head_dim = 4;
  for (LlamaWeights::Block& block : weights.blocks)
    for (const auto& tensor : lrqat::detail::block_tensors)
      lrqat::test::fill(block.*tensor.member, tensor.size(weights.config), 5);
  write_config(folder.path(), hugging_face_config(weights.config));
  write_shards(folder.path(), hugging_face_tensors<float>(weights, "F32").tensors, 1);
  CHECK(equal(read_hugging_face(folder.path()), weights));
}

TEST_CASE("read_hugging_face: what config.json leaves out or says otherwise", "[io]") {
  const lrqat::test::TemporaryFolder folder;
  const LlamaWeights weights = small_llama(true);
  write_shards(folder.path(), hugging_face_tensors<float>(weights, "F32").tensors, 1);
  nlohmann::json config = hugging_face_config(weights.config);
  for (const char* key : {"rms_norm_eps", "rope_theta", "max_position_embeddings", "head_dim",
                          "hidden_act", "model_type"})
    config.erase(key);
  config["unknown_key"] = {1, 2};
  write_config(folder.path(), config);
  const lrqat::LlamaConfig read = read_hugging_face(folder.path()).config;
  CHECK(read.norm_eps == 1e-6f);  // the defaults of transformers' LlamaConfig
  CHECK(read.rope_theta == 10000.0f);
  CHECK(read.context == 2048);
  CHECK(read.head_dim == 2);
  config["rope_parameters"] = {{"rope_type", "default"}, {"rope_theta", 5e5}};
  write_config(folder.path(), config);
  CHECK(read_hugging_face(folder.path()).config.rope_theta == 5e5f);
}

TEST_CASE("read_hugging_face: rotary scaling in every spelling", "[io]") {
  const lrqat::test::TemporaryFolder folder;
  const LlamaWeights weights = small_llama(true);
  write_shards(folder.path(), hugging_face_tensors<float>(weights, "F32").tensors, 1);
  const auto read_with = [&](const char* key, const nlohmann::json& value) {
    nlohmann::json config = hugging_face_config(weights.config);
    config["rope_theta"] = 5e5;
    config[key] = value;
    write_config(folder.path(), config);
    return read_hugging_face(folder.path()).config;
  };
  for (const char* key : {"rope_scaling", "rope_parameters"}) {
    CHECK_FALSE(is_scaled(read_with(key, nullptr).rope_scaling));
    CHECK_FALSE(is_scaled(read_with(key, nlohmann::json::object()).rope_scaling));
    CHECK_FALSE(is_scaled(read_with(key, {{"type", "default"}}).rope_scaling));
    CHECK(read_with(key, {{"type", "linear"}, {"factor", 2.5}}).rope_scaling ==
          lrqat::RopeScaling(lrqat::LinearRopeScaling{2.5f}));
    nlohmann::json llama3{{"rope_type", "llama3"},
                          {"type", "llama3"},
                          {"factor", 32},
                          {"low_freq_factor", 1.0},
                          {"high_freq_factor", 4.0},
                          {"original_max_position_embeddings", 8192},
                          {"attention_factor", nullptr}};
    const lrqat::Llama3RopeScaling wanted{.factor = 32.0f};
    CHECK(read_with(key, llama3).rope_scaling == lrqat::RopeScaling(wanted));
    CHECK(read_with(key, llama3).rope_theta == 5e5f);
    llama3["rope_theta"] = 1e6;
    CHECK(read_with(key, llama3).rope_scaling == lrqat::RopeScaling(wanted));
    CHECK(read_with(key, llama3).rope_theta == 1e6f);
  }
}

TEST_CASE("read_hugging_face: rotary scaling that is not understood names key and value", "[io]") {
  const lrqat::test::TemporaryFolder folder;
  const LlamaWeights weights = small_llama(true);
  write_shards(folder.path(), hugging_face_tensors<float>(weights, "F32").tensors, 1);
  const auto message = [&](const nlohmann::json& keys) {
    nlohmann::json config = hugging_face_config(weights.config);
    config.update(keys);
    write_config(folder.path(), config);
    const std::string text = error_of([&] { read_hugging_face(folder.path()); });
    CHECK_THAT(text, Catch::Contains("config.json"));
    return text;
  };
  const nlohmann::json linear{{"type", "linear"}, {"factor", 2.0}},
      llama3{{"rope_type", "llama3"},
             {"factor", 8.0},
             {"low_freq_factor", 1.0},
             {"high_freq_factor", 4.0},
             {"original_max_position_embeddings", 8192}};
  const auto with = [](nlohmann::json scaling, const char* key, const nlohmann::json& value) {
    scaling[key] = value;
    return nlohmann::json{{"rope_scaling", scaling}};
  };
  for (const char* type : {"dynamic", "yarn", "longrope", "su", "mrope", ""})
    CHECK_THAT(message(with(linear, "type", type)),
               Catch::Contains("rope_scaling is {") && Catch::Contains("only the types default"));
  for (const nlohmann::json& type : {nlohmann::json(1), nlohmann::json(true), nlohmann::json{1}})
    CHECK_THAT(message(with(linear, "type", type)), Catch::Contains("only the types"));
  CHECK_THAT(message(with(linear, "rope_type", "llama3")), Catch::Contains("type differ"));
  CHECK_THAT(message(with(linear, "beta_fast", 32)), Catch::Contains("its beta_fast is not"));
  CHECK_THAT(message(with(linear, "low_freq_factor", 1)), Catch::Contains("its low_freq_factor"));
  CHECK_THAT(message(with(llama3, "attention_factor", 1.5)),
             Catch::Contains("its attention_factor is not supported"));
  CHECK_THAT(message({{"rope_scaling", {{"factor", 2.0}}}}), Catch::Contains("its factor is not"));
  CHECK_THAT(message({{"rope_scaling", {{"full_attention", linear}}}}),
             Catch::Contains("its full_attention is not supported"));
  for (const nlohmann::json& number :
       {nlohmann::json("8"), nlohmann::json(0), nlohmann::json(-2.0), nlohmann::json(1e300),
        nlohmann::json(1e-300), nlohmann::json(nullptr), nlohmann::json{8.0}}) {
    CHECK_THAT(message(with(linear, "factor", number)),
               Catch::Contains("its factor must be a positive number"));
    for (const char* key : {"factor", "low_freq_factor", "high_freq_factor"})
      CHECK_THAT(message(with(llama3, key, number)),
                 Catch::Contains("rope_scaling is {") &&
                     Catch::Contains(std::string("its ") + key + " must be a positive number"));
    CHECK_THAT(message(with(llama3, "original_max_position_embeddings", number)),
               Catch::Contains("its original_max_position_embeddings must be a positive 32-bit"));
    CHECK_THAT(message({{"rope_parameters", {{"rope_theta", number}, {"factor", 1}}}}),
               Catch::Contains("rope_parameters is {"));
  }
  CHECK_THAT(message(with(llama3, "original_max_position_embeddings", 0.5)),
             Catch::Contains("must be a positive 32-bit integer"));
  CHECK_THAT(message(with(linear, "factor", 0.5)),
             Catch::Contains("factor of its rotary scaling is 0.5") && Catch::Contains("at least"));
  CHECK_THAT(message(with(llama3, "low_freq_factor", 4.0)), Catch::Contains("0 < low < high"));
  CHECK_THAT(message({{"rope_scaling", linear}, {"rope_parameters", llama3}}),
             Catch::Contains("rope_parameters is {") && Catch::Contains("rope_scaling says"));
  CHECK_THAT(message({{"rope_scaling", llama3}, {"original_max_position_embeddings", 4096}}),
             Catch::Contains("original_max_position_embeddings is 4096") &&
                 Catch::Contains("rope_scaling says otherwise"));
  lrqat::write_file(folder / "config.json",
                    R"({"rope_scaling": {"type": "linear", "factor": NaN}})");
  CHECK_THAT(error_of([&] { read_hugging_face(folder.path()); }), Catch::Contains("JSON"));
}

TEST_CASE("read_hugging_face: an unsupported setting is an error naming key and value", "[io]") {
  const lrqat::test::TemporaryFolder folder;
  const LlamaWeights weights = small_llama(true);
  write_shards(folder.path(), hugging_face_tensors<float>(weights, "F32").tensors, 1);
  const nlohmann::json good = hugging_face_config(weights.config);
  const std::pair<const char*, nlohmann::json> wrong[] = {
      {"model_type", "mistral"},
      {"architectures", {"GPT2LMHeadModel"}},
      {"hidden_act", "gelu"},
      {"attention_bias", true},
      {"mlp_bias", true},
      {"sliding_window", 4096},
      {"use_sliding_window", true},
      {"quantization_config", {{"bits", 4}}},
      {"partial_rotary_factor", 0.5},
      {"layer_types", {"full_attention", "sliding_attention"}},
      {"rope_scaling", {{"rope_type", "llama3"}, {"factor", 8.0}}},
      {"rope_scaling", {{"type", "dynamic"}, {"factor", 2.0}}},
      {"rope_scaling", "linear"},
      {"rope_parameters", {{"rope_type", "yarn"}}},
      {"rope_theta", -1.0},
      {"rope_theta", "10000"},
      {"rms_norm_eps", 0},
      {"tie_word_embeddings", 1},
      {"hidden_size", 8.5},
      {"hidden_size", -8},
      {"hidden_size", "8"},
      {"num_hidden_layers", 0},
      {"vocab_size", 4294967296},
  };
  for (const auto& [key, value] : wrong) {
    nlohmann::json config = good;
    config[key] = value;
    write_config(folder.path(), config);
    const std::string text = error_of([&] { read_hugging_face(folder.path()); });
    CHECK_THAT(text, Catch::Contains("config.json") && Catch::Contains(key) &&
                         Catch::Contains(value.dump()));
  }
  const std::pair<const char*, nlohmann::json> inconsistent[] = {
      {"num_key_value_heads", 3}, {"head_dim", 3},
      {"num_hidden_layers", 3},   {"num_hidden_layers", 2147483647},
      {"hidden_size", 10},        {"vocab_size", 7},
      {"num_hidden_layers", 1},   {"tie_word_embeddings", false}};
  for (const auto& [key, value] : inconsistent) {
    nlohmann::json config = good;
    config[key] = value;
    write_config(folder.path(), config);
    INFO(key);
    CHECK_THAT(error_of([&] { read_hugging_face(folder.path()); }),
               Catch::Contains(folder.path().string()));
  }
  for (const char* key : {"hidden_size", "intermediate_size", "num_hidden_layers",
                          "num_attention_heads", "vocab_size"}) {
    nlohmann::json config = good;
    config.erase(key);
    write_config(folder.path(), config);
    CHECK_THAT(error_of([&] { read_hugging_face(folder.path()); }),
               Catch::Contains(key) && Catch::Contains("missing"));
  }
  lrqat::write_file(folder / "config.json", "{\"hidden_size\": 8,");
  CHECK_THAT(error_of([&] { read_hugging_face(folder.path()); }), Catch::Contains("JSON"));
}

TEST_CASE("read_hugging_face: missing and surplus tensors and files are errors", "[io]") {
  const lrqat::test::TemporaryFolder folder;
  const LlamaWeights weights = small_llama(true);
  const auto message = [&] { return error_of([&] { read_hugging_face(folder.path()); }); };
  CHECK_THAT(message(), Catch::Contains("config.json"));
  write_config(folder.path(), hugging_face_config(weights.config));
  CHECK_THAT(message(), Catch::Contains("neither model.safetensors nor"));

  auto stored = hugging_face_tensors<float>(weights, "F32");
  auto tensors = stored.tensors;
  tensors.erase(tensors.begin());
  write_shards(folder.path(), tensors, 1);
  CHECK_THAT(message(), Catch::Contains("model.embed_tokens.weight"));

  tensors = stored.tensors;
  tensors.push_back({"model.layers.0.self_attn.rotary_emb.inv_freq", "F32", {0}, {}});
  tensors.push_back(tensors.front());
  tensors.back().name = "lm_head.weight";  // equal to the embedding: what tying means
  write_shards(folder.path(), tensors, 1);
  CHECK(equal(read_hugging_face(folder.path()), weights));
  std::vector<std::byte> changed(tensors.back().bytes.begin(), tensors.back().bytes.end());
  changed[0] ^= std::byte{1};
  tensors.back().bytes = changed;
  write_shards(folder.path(), tensors, 1);
  CHECK_THAT(message(), Catch::Contains("lm_head.weight"));

  tensors = stored.tensors;
  tensors.push_back({"model.layers.0.self_attn.q_proj.bias", "F32", {0}, {}});
  write_shards(folder.path(), tensors, 1);
  CHECK_THAT(message(), Catch::Contains("q_proj.bias"));
}

TEST_CASE("read_hugging_face: an index that does not fit its shards is an error", "[io]") {
  const lrqat::test::TemporaryFolder folder;
  const LlamaWeights weights = small_llama(true);
  write_config(folder.path(), hugging_face_config(weights.config));
  write_shards(folder.path(), hugging_face_tensors<float>(weights, "F32").tensors, 2);
  const std::filesystem::path index = folder / "model.safetensors.index.json";
  const nlohmann::json good = nlohmann::json::parse(lrqat::test::read_plainly(index));
  const auto message = [&](auto change) {
    nlohmann::json broken = good;
    change(broken);
    lrqat::write_file(index, broken.dump());
    return error_of([&] { read_hugging_face(folder.path()); });
  };
  const std::string norm = "model.norm.weight";
  CHECK_THAT(message([](auto& i) { i.erase("weight_map"); }), Catch::Contains("weight_map"));
  CHECK_THAT(message([](auto& i) { i["weight_map"] = {1}; }), Catch::Contains("weight_map"));
  CHECK_THAT(message([&](auto& i) { i["weight_map"][norm] = 1; }), Catch::Contains(norm));
  CHECK_THAT(message([&](auto& i) { i["weight_map"][norm] = "../model-1.safetensors"; }),
             Catch::Contains("not a name"));
  CHECK_THAT(message([&](auto& i) { i["weight_map"][norm] = "model-1.safetensors"; }),
             Catch::Contains("is not in model-1.safetensors"));
  CHECK_THAT(message([&](auto& i) { i["weight_map"][norm] = "model-9.safetensors"; }),
             Catch::Contains("model-9.safetensors"));
  CHECK_THAT(message([&](auto& i) { i["weight_map"].erase(norm); }),
             Catch::Contains("index says otherwise"));
  std::filesystem::remove(folder / "model-2.safetensors");
  CHECK_THAT(message([](auto&) {}), Catch::Contains("model-2.safetensors"));
}
