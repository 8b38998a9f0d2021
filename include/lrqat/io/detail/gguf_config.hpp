// SPDX-License-Identifier: MIT
// io/detail/gguf_config.hpp: a LLaMA's configuration and vocabulary in the metadata of GGUF files.
#ifndef LRQAT_IO_DETAIL_GGUF_CONFIG_HPP
#define LRQAT_IO_DETAIL_GGUF_CONFIG_HPP

#include <lrqat/io/detail/llama_tensors.hpp>
#include <lrqat/io/gguf.hpp>
#include <lrqat/io/vocabulary.hpp>
#include <lrqat/nn/llama_weights.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lrqat::detail {

/// Keys under "llama." that are read; another one may change the model's results.
inline constexpr std::string_view known_llama_keys[] = {
    "context_length",
    "embedding_length",
    "block_count",
    "feed_forward_length",
    "vocab_size",
    "attention.head_count",
    "attention.head_count_kv",
    "attention.key_length",
    "attention.value_length",
    "attention.layer_norm_rms_epsilon",
    "rope.dimension_count",
    "rope.freq_base",
    "rope.scaling.type",
    "rope.scaling.factor",
    "rope.scaling.original_context_length",  // for yarn
    "rope.scaling.finetuned",                // says how it was trained
};

/// The divisors of rotary frequencies, one for each pair of a head.
inline constexpr const char* rope_divisors_tensor = "rope_freqs.weight";
inline bool has_rope_divisors(const LlamaConfig& config) {
  return is_scaled(config.rope_scaling) &&
         !std::holds_alternative<LinearRopeScaling>(config.rope_scaling);
}

/// Everything but what tensors say: vocabulary, divisors, and whether the head is tied.
inline LlamaConfig config_of_gguf(const GgufFile& file) {
  const std::string& where = file.where();
  const std::string* const architecture = file.find<std::string>("general.architecture");
  expects(architecture != nullptr, where, ": general.architecture is missing");
  expects(*architecture == "llama", where, ": general.architecture is ", printable(*architecture),
          ": only llama is supported");
  const std::string prefix = "llama.";
  for (const auto& entry : file.metadata()) {
    const std::string_view key = entry.first;
    if (key.substr(0, prefix.size()) != prefix) continue;
    expects(std::ranges::count(known_llama_keys, key.substr(prefix.size())) != 0, where, ": ",
            printable(key), ": not supported");
  }
  const auto size = [&](const std::string& key) {
    const std::uint64_t value = file.integer(prefix + key);
    expects(value > 0 && value <= INT32_MAX, where, ": ", prefix, key, " is ", value,
            ": a positive 32-bit integer is needed");
    return static_cast<std::size_t>(value);
  };
  const auto size_or = [&](const std::string& key, std::size_t fallback) {
    return file.contains(prefix + key) ? size(key) : fallback;
  };
  const auto positive_or = [&](const std::string& key, float fallback) {
    const float* const value = file.find<float>(prefix + key);
    if (value == nullptr) return fallback;
    expects(std::isfinite(*value) && *value > 0.0f, where, ": ", prefix, key, " is ", *value,
            ": a positive number is needed");
    return *value;
  };
  LlamaConfig config;
  config.dim = size("embedding_length");
  config.hidden_dim = size("feed_forward_length");
  config.layers = size("block_count");
  config.heads = size("attention.head_count");
  config.kv_heads = size_or("attention.head_count_kv", config.heads);
  expects(file.contains(prefix + "attention.key_length") || config.dim % config.heads == 0, where,
          ": ", prefix, "embedding_length ", config.dim, " is no multiple of ", config.heads,
          " heads");
  config.head_dim = size_or("attention.key_length", config.dim / config.heads);
  for (const char* key : {"attention.value_length", "rope.dimension_count"})
    expects(size_or(key, config.head_dim) == config.head_dim, where, ": ", prefix, key, " is ",
            size_or(key, 0), ", the head size ", config.head_dim,
            ": only equal ones are supported");
  config.context = size("context_length");
  expects(file.contains(prefix + "attention.layer_norm_rms_epsilon"), where, ": ", prefix,
          "attention.layer_norm_rms_epsilon is missing");
  config.norm_eps = positive_or("attention.layer_norm_rms_epsilon", 0.0f);
  config.rope_theta = positive_or("rope.freq_base", 10000.0f);
  const std::string* const type = file.find<std::string>(prefix + "rope.scaling.type");
  const std::string scaling = type == nullptr ? "linear" : *type;  // llama.cpp's default
  expects(scaling == "none" || scaling == "linear", where, ": ", prefix, "rope.scaling.type is ",
          printable(scaling), ": only none and linear are supported");
  if (file.contains(prefix + "rope.scaling.factor")) {
    const LinearRopeScaling linear{positive_or("rope.scaling.factor", 1.0f)};
    expects(scaling == "linear", where, ": ", prefix, "rope.scaling.type is none, but ", prefix,
            "rope.scaling.factor is ", linear.factor);
    config.rope_scaling = linear;
  }
  return config;
}

/// Everything but what tensors say.
inline void add_config(GgufMetadata& metadata, const LlamaConfig& config) {
  const auto set = [&](const std::string& key, std::size_t value) {
    expects(value <= UINT32_MAX, "write_gguf: ", key, " is ", value, ", more than 32 bits");
    metadata["llama." + key] = static_cast<std::uint32_t>(value);
  };
  metadata["general.architecture"] = std::string("llama");
  set("context_length", config.context);
  set("embedding_length", config.dim);
  set("block_count", config.layers);
  set("feed_forward_length", config.hidden_dim);
  set("vocab_size", config.vocab);
  set("attention.head_count", config.heads);
  set("attention.head_count_kv", config.kv_heads);
  set("attention.key_length", config.head_dim);
  set("attention.value_length", config.head_dim);
  set("rope.dimension_count", config.head_dim);
  metadata["llama.rope.freq_base"] = config.rope_theta;
  if (const auto* linear = std::get_if<LinearRopeScaling>(&config.rope_scaling)) {
    metadata["llama.rope.scaling.type"] = std::string("linear");
    metadata["llama.rope.scaling.factor"] = linear->factor;
  }
  metadata["llama.attention.layer_norm_rms_epsilon"] = config.norm_eps;
}

inline void add_vocabulary(GgufMetadata& metadata, const Vocabulary& vocabulary) {
  std::vector<std::string> texts;
  std::vector<float> scores;
  std::vector<std::int32_t> kinds;
  for (const Vocabulary::Piece& piece : vocabulary.pieces) {
    texts.push_back(piece.text);
    scores.push_back(piece.score);
    kinds.push_back(static_cast<std::int32_t>(piece.kind));
  }
  const std::string prefix = "tokenizer.ggml.";
  metadata[prefix + "model"] = std::string("llama");
  metadata[prefix + "tokens"] = GgufArray{std::move(texts)};
  metadata[prefix + "scores"] = GgufArray{std::move(scores)};
  metadata[prefix + "token_type"] = GgufArray{std::move(kinds)};
  metadata[prefix + "bos_token_id"] = vocabulary.bos;
  metadata[prefix + "eos_token_id"] = vocabulary.eos;
  metadata[prefix + "unknown_token_id"] = vocabulary.unknown;
  metadata[prefix + "add_bos_token"] = true;
  metadata[prefix + "add_eos_token"] = false;
  metadata[prefix + "add_space_prefix"] = true;
}

}  // namespace lrqat::detail

#endif  // LRQAT_IO_DETAIL_GGUF_CONFIG_HPP
