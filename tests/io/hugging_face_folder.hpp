// SPDX-License-Identifier: MIT
// tests/io/hugging_face_folder.hpp: writes a model as a Hugging Face folder, whole or in shards.
#ifndef LRQAT_TESTS_IO_HUGGING_FACE_FOLDER_HPP
#define LRQAT_TESTS_IO_HUGGING_FACE_FOLDER_HPP

#include <lrqat/core/bf16.hpp>
#include <lrqat/io/atomic_file.hpp>
#include <lrqat/io/detail/llama_tensors.hpp>
#include <lrqat/io/safetensors.hpp>

#include <nlohmann/json.hpp>

#include <cstring>
#include <deque>
#include <filesystem>
#include <string>
#include <vector>

namespace lrqat::test {

inline nlohmann::json hugging_face_config(const LlamaConfig& c) {
  return {{"architectures", {"LlamaForCausalLM"}},
          {"model_type", "llama"},
          {"hidden_act", "silu"},
          {"hidden_size", c.dim},
          {"intermediate_size", c.hidden_dim},
          {"num_hidden_layers", c.layers},
          {"num_attention_heads", c.heads},
          {"num_key_value_heads", c.kv_heads},
          {"head_dim", c.head_dim},
          {"vocab_size", c.vocab},
          {"max_position_embeddings", c.context},
          {"rms_norm_eps", 1e-5},
          {"rope_theta", 10000.0},
          {"rope_scaling", nullptr},
          {"tie_word_embeddings", c.tied_head},
          {"attention_bias", false}};
}

/// Each float as `Narrow` (bf16, half) or float.
template <class Narrow>
std::vector<std::byte> narrowed(const AlignedVector<float>& values) {
  std::vector<std::byte> bytes;
  for (const float value : values) {
    const Narrow narrow(value);
    const auto first = reinterpret_cast<const std::byte*>(&narrow);
    bytes.insert(bytes.end(), first, first + sizeof narrow);
  }
  return bytes;
}

/// The rows of a query or key matrix in the order of rotate-half: the even rows of a head, then
/// the odd ones.
inline AlignedVector<float> halves_apart(const AlignedVector<float>& rows, std::size_t head_dim,
                                         std::size_t cols) {
  AlignedVector<float> result;
  for (std::size_t head = 0; head < rows.size(); head += head_dim * cols)
    for (const std::size_t parity : {0u, 1u})
      for (std::size_t row = parity; row < head_dim; row += 2)
        result.insert(result.end(), rows.begin() + std::ptrdiff_t(head + row * cols),
                      rows.begin() + std::ptrdiff_t(head + (row + 1) * cols));
  return result;
}

/// Tensors whose bytes stay where they are while the list grows.
struct StoredTensors {
  std::deque<std::vector<std::byte>> bytes;
  std::vector<TensorToWrite> tensors;
};

template <class Narrow>
StoredTensors hugging_face_tensors(const LlamaWeights& weights, const std::string& dtype) {
  const LlamaConfig& c = weights.config;
  StoredTensors stored;
  const auto add = [&](const std::string& name, const AlignedVector<float>& values,
                       std::vector<std::size_t> shape) {
    stored.bytes.push_back(narrowed<Narrow>(values));
    stored.tensors.push_back({name, dtype, std::move(shape), stored.bytes.back()});
  };
  add("model.embed_tokens.weight", weights.embedding, {c.vocab, c.dim});
  add("model.norm.weight", weights.final_norm, {c.dim});
  if (!c.tied_head) add("lm_head.weight", weights.head, {c.vocab, c.dim});
  for (std::size_t block = 0; block < c.layers; ++block) {
    for (const detail::BlockTensor& tensor : detail::block_tensors) {
      const std::string name = "model.layers." + std::to_string(block) + "." +
                               std::string(tensor.hugging_face_name) + ".weight";
      const std::size_t rows = detail::extent(c, tensor.rows),
                        cols = detail::extent(c, tensor.cols);
      const AlignedVector<float>& values = weights.blocks[block].*tensor.member;
      const bool is_rotated = tensor.name == "query" || tensor.name == "key";
      if (tensor.rows == detail::Extent::one)
        add(name, values, {cols});
      else
        add(name, is_rotated ? halves_apart(values, c.head_dim, cols) : values, {rows, cols});
    }
  }
  return stored;
}

/// Writes the tensors in `shards` files with an index; in one file without index when it is 1.
inline void write_shards(const std::filesystem::path& folder,
                         const std::vector<TensorToWrite>& tensors, std::size_t shards) {
  if (shards == 1) return write_safetensors(folder / "model.safetensors", tensors);
  nlohmann::json map = nlohmann::json::object();
  for (std::size_t shard = 0; shard < shards; ++shard) {
    const std::string name = "model-" + std::to_string(shard + 1) + ".safetensors";
    std::vector<TensorToWrite> part;
    for (std::size_t i = shard; i < tensors.size(); i += shards) {
      part.push_back(tensors[i]);
      map[tensors[i].name] = name;
    }
    write_safetensors(folder / name, part);
  }
  write_file(folder / "model.safetensors.index.json",
             nlohmann::json{{"metadata", {{"total_size", 1}}}, {"weight_map", map}}.dump());
}

}  // namespace lrqat::test

#endif  // LRQAT_TESTS_IO_HUGGING_FACE_FOLDER_HPP
