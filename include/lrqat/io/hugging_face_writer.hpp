// SPDX-License-Identifier: MIT
// io/hugging_face_writer.hpp: LLaMAs as ordinary Hugging Face folders, in F32, BF16 or F16.
#ifndef LRQAT_IO_HUGGING_FACE_WRITER_HPP
#define LRQAT_IO_HUGGING_FACE_WRITER_HPP

#include <lrqat/io/detail/float_bytes.hpp>
#include <lrqat/io/hugging_face.hpp>
#include <lrqat/io/stored_llama.hpp>

#include <span>

namespace lrqat {

/// How the floats of a model are written. bf16 and f16 round each to the nearest; f32 is exact.
enum class HuggingFaceFloats { f32, bf16, f16 };

namespace detail {

inline const char* dtype_of(HuggingFaceFloats floats) {
  return floats == HuggingFaceFloats::f32    ? "F32"
         : floats == HuggingFaceFloats::bf16 ? "BF16"
                                             : "F16";
}

/// @throws Error where a finite number becomes infinite
inline AlignedVector<std::byte> floats_as(HuggingFaceFloats floats, std::span<const float> values,
                                          const std::string& name) {
  if (floats == HuggingFaceFloats::bf16) return bytes_of<bf16>(values, name);
  if (floats == HuggingFaceFloats::f16) return bytes_of<half>(values, name);
  return bytes_of<float>(values, name);
}

/// Null where nothing is scaled. @throws Error for divisors, which config.json has no key for
inline nlohmann::json rope_scaling_json(const RopeScaling& scaling) {
  if (const auto* linear = std::get_if<LinearRopeScaling>(&scaling))
    return {{"rope_type", "linear"}, {"factor", static_cast<double>(linear->factor)}};
  if (const auto* llama3 = std::get_if<Llama3RopeScaling>(&scaling))
    return {{"rope_type", "llama3"},
            {"factor", static_cast<double>(llama3->factor)},
            {"low_freq_factor", static_cast<double>(llama3->low_freq_factor)},
            {"high_freq_factor", static_cast<double>(llama3->high_freq_factor)},
            {"original_max_position_embeddings", llama3->original_context}};
  expects(!is_scaled(scaling),
          "config.json: there is no key for divisors of rotary frequencies, as "
          "rope_freqs.weight of a GGUF file holds them; set rope_scaling of the model's config to "
          "the Llama3RopeScaling that they were made with");
  return nullptr;
}

inline nlohmann::json hugging_face_config(const LlamaConfig& c, HuggingFaceFloats floats) {
  const char* const type = floats == HuggingFaceFloats::f32    ? "float32"
                           : floats == HuggingFaceFloats::bf16 ? "bfloat16"
                                                               : "float16";
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
          {"rms_norm_eps", static_cast<double>(c.norm_eps)},
          {"rope_theta", static_cast<double>(c.rope_theta)},
          {"rope_scaling", rope_scaling_json(c.rope_scaling)},
          {"tie_word_embeddings", c.tied_head},
          {"attention_bias", false},
          {"mlp_bias", false},
          {"bos_token_id", 1},
          {"eos_token_id", 2},
          {"torch_dtype", type}};
}

/// "model.layers.0.self_attn.q_proj"
inline std::string hugging_face_name(const LinearName& which) {
  return "model.layers." + std::to_string(which.block) + "." +
         std::string(block_tensor(name(which.kind)).hugging_face_name);
}

inline bool is_rotated(LinearKind kind) {
  return kind == LinearKind::query || kind == LinearKind::key;
}

/// Rows of query and key in the order of the other layout, those of any other layer, or one row for
/// all outputs, as they are.
template <class T>
AlignedVector<T> rows_there(const AlignedVector<T>& rows, LinearKind kind, std::size_t row_count,
                            std::size_t head_dim) {
  return is_rotated(kind) && row_count > 1 ? separate_pairs(rows, row_count, head_dim) : rows;
}
/// The way back.
template <class T>
AlignedVector<T> rows_here(const AlignedVector<T>& rows, LinearKind kind, std::size_t row_count,
                           std::size_t head_dim) {
  return is_rotated(kind) && row_count > 1 ? interleave_halves(rows, row_count, head_dim) : rows;
}

/// Collects the tensors of a model; what the lambdas refer to must outlive the writing.
class HuggingFaceTensorList {
 public:
  HuggingFaceTensorList(const LlamaToStore& model, HuggingFaceFloats floats)
      : model_(model), floats_(floats) {}

  /// Embedding, norms, and the head where it is not tied.
  void add_frame() {
    const LlamaConfig& config = model_.frame.config;
    const std::vector<std::size_t> table{config.vocab, config.dim}, norm{config.dim};
    add("model.embed_tokens.weight", model_.frame.embedding.values(), table);
    for (std::size_t block = 0; block < config.layers; ++block) {
      const std::string prefix = "model.layers." + std::to_string(block) + ".";
      for (const auto& [own, values] :
           {std::pair("attention_norm", &model_.frame.attention_norm[block].value),
            std::pair("mlp_norm", &model_.frame.mlp_norm[block].value)})
        add(prefix + std::string(block_tensor(own).hugging_face_name) + ".weight", *values, norm);
    }
    add("model.norm.weight", model_.frame.final_norm.value, norm);
    if (!config.tied_head) add("lm_head.weight", model_.frame.head.values(), table);
  }
  /// A layer's weight in floats, whatever its grid.
  void add_weight(const LinearName& which) {
    const AnyLinear& layer = model_.layer(which);
    const std::string name = hugging_face_name(which) + ".weight";
    const std::size_t rows = layer.out_features(), head_dim = model_.frame.config.head_dim;
    tensors.push_back({name, dtype_of(floats_), {rows, layer.in_features()}, [=, &layer, this] {
                         return floats_as(
                             floats_, rows_there(layer.weight(), which.kind, rows, head_dim), name);
                       }});
  }

  std::vector<TensorToMake> tensors;

 private:
  void add(const std::string& name, std::span<const float> values,
           const std::vector<std::size_t>& shape) {
    tensors.push_back(
        {name, dtype_of(floats_), shape, [=, this] { return floats_as(floats_, values, name); }});
  }

  const LlamaToStore& model_;
  HuggingFaceFloats floats_;
};

}  // namespace detail

/// Writes model.safetensors and config.json of an ordinary LlamaForCausalLM; codes become floats.
/// In f32, what read_hugging_face() reads back is equal bit for bit. Makes the folder where it is
/// missing; each file is replaced atomically.
inline void write_hugging_face(const std::filesystem::path& folder, const LlamaToStore& model,
                               HuggingFaceFloats floats = HuggingFaceFloats::f32) {
  const nlohmann::json root = detail::hugging_face_config(model.frame.config, floats);
  detail::HuggingFaceTensorList list(model, floats);
  list.add_frame();
  detail::for_each_linear_name(model.frame.config,
                               [&](const LinearName& which) { list.add_weight(which); });
  make_folder(folder);
  make_safetensors(folder / "model.safetensors", list.tensors, {{"format", "pt"}});
  write_file(folder / "config.json", root.dump(2) + "\n");
}

}  // namespace lrqat

#endif  // LRQAT_IO_HUGGING_FACE_WRITER_HPP
