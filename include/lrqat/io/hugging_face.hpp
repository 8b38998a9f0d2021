// SPDX-License-Identifier: MIT
// io/hugging_face.hpp: LLaMA checkpoints in the folder layout of Hugging Face transformers.
#ifndef LRQAT_IO_HUGGING_FACE_HPP
#define LRQAT_IO_HUGGING_FACE_HPP

#include <lrqat/core/expects.hpp>
#include <lrqat/io/detail/json.hpp>
#include <lrqat/io/detail/llama_tensors.hpp>
#include <lrqat/io/mapped_file.hpp>
#include <lrqat/io/safetensors.hpp>
#include <lrqat/nn/llama_weights.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

namespace lrqat {

namespace detail {

/// Whether config.json may say that weights are quantized: to the reader of ordinary models it is
/// another model.
enum class QuantizationKey { refused, read_elsewhere };

/// config.json, read key by key; what the file leaves out gets the default of transformers.
class HuggingFaceConfig {
 public:
  explicit HuggingFaceConfig(const std::filesystem::path& path,
                             QuantizationKey quantization = QuantizationKey::refused)
      : where_(path.string()), root_(parse_json_object(MappedFile(path).text(), where_)) {
    if (quantization == QuantizationKey::read_elsewhere) root_.erase("quantization_config");
  }

  LlamaConfig read() const {
    refuse_other_models();
    LlamaConfig config;
    config.dim = size("hidden_size");
    config.hidden_dim = size("intermediate_size");
    config.layers = size("num_hidden_layers");
    config.heads = size("num_attention_heads");
    config.kv_heads = size("num_key_value_heads", config.heads);
    expects(root_.count("head_dim") != 0 || config.dim % config.heads == 0, where_,
            ": hidden_size ", config.dim, " is no multiple of num_attention_heads ", config.heads);
    config.head_dim = size("head_dim", config.dim / config.heads);
    config.vocab = size("vocab_size");
    config.context = size("max_position_embeddings", 2048);
    config.norm_eps = positive("rms_norm_eps", 1e-6f);
    std::tie(config.rope_theta, config.rope_scaling) = rope();
    config.tied_head = flag("tie_word_embeddings");
    check_config(config, where_);
    return config;
  }

 private:
  const nlohmann::json* find(const char* key) const { return find_in(root_, key); }
  /// Null counts as absent.
  static const nlohmann::json* find_in(const nlohmann::json& object, const char* key) {
    const auto found = object.find(key);
    return found == object.end() || found->is_null() ? nullptr : &*found;
  }

  [[noreturn]] void refuse(const char* key, const nlohmann::json& value,
                           std::string_view why) const {
    const std::string text =
        value.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace).substr(0, 200);
    fail(where_, ": ", key, " is ", text, ": ", why);
  }

  std::size_t size(const char* key, std::optional<std::size_t> fallback = std::nullopt) const {
    const nlohmann::json* const value = find(key);
    expects(value != nullptr || fallback.has_value(), where_, ": ", key, " is missing");
    if (value == nullptr) return *fallback;
    if (!is_size(*value)) refuse(key, *value, "a positive 32-bit integer is needed");
    return value->get<std::size_t>();
  }
  static bool is_size(const nlohmann::json& value) {
    return value.is_number_unsigned() && value.get<std::uint64_t>() > 0 &&
           value.get<std::uint64_t>() <= INT32_MAX;
  }

  float positive(const char* key, float fallback) const {
    const nlohmann::json* const value = find(key);
    if (value == nullptr) return fallback;
    const std::optional<float> number = positive_number(*value);
    if (!number) refuse(key, *value, "a positive number is needed");
    return *number;
  }
  static std::optional<float> positive_number(const nlohmann::json& value) {
    const double number = value.is_number() ? value.get<double>() : -1.0;
    const bool fits = number > 0.0 && number <= 1e30 && static_cast<float>(number) > 0.0f;
    return fits ? std::optional(static_cast<float>(number)) : std::nullopt;
  }

  bool flag(const char* key) const {
    const nlohmann::json* const value = find(key);
    if (value != nullptr && !value->is_boolean()) refuse(key, *value, "true or false is needed");
    return value != nullptr && value->get<bool>();
  }

  /// Whatever would change the model's results and is not built in is an error, not ignored.
  void refuse_other_models() const {
    const nlohmann::json* const type = find("model_type");
    const nlohmann::json* const architectures = find("architectures");
    expects(type != nullptr || architectures != nullptr, where_,
            ": neither model_type nor architectures says which model this is");
    if (type != nullptr && *type != "llama") refuse("model_type", *type, "only llama is supported");
    if (architectures != nullptr && *architectures != nlohmann::json{"LlamaForCausalLM"})
      refuse("architectures", *architectures, "only LlamaForCausalLM is supported");
    const nlohmann::json* const activation = find("hidden_act");
    if (activation != nullptr && *activation != "silu")
      refuse("hidden_act", *activation, "only silu is supported");
    for (const char* key : {"attention_bias", "mlp_bias", "use_sliding_window"})
      if (flag(key)) refuse(key, *find(key), "not supported");
    for (const char* key : {"sliding_window", "quantization_config"})
      if (const nlohmann::json* value = find(key)) refuse(key, *value, "not supported");
    const nlohmann::json* const rotated = find("partial_rotary_factor");
    if (rotated != nullptr && *rotated != 1.0)
      refuse("partial_rotary_factor", *rotated, "only 1 is supported");
    if (const nlohmann::json* types = find("layer_types")) {
      const bool is_full =
          types->is_array() &&
          std::all_of(types->begin(), types->end(), [](auto& t) { return t == "full_attention"; });
      if (!is_full) refuse("layer_types", *types, "only full_attention is supported");
    }
  }

  /// theta stands at the top and the scaling under rope_scaling; in newer files both are under
  /// rope_parameters.
  std::pair<float, RopeScaling> rope() const {
    const std::pair<float, RopeScaling> plain{positive("rope_theta", 10000.0f), {}};
    std::optional<std::pair<float, RopeScaling>> found;
    for (const char* key : {"rope_scaling", "rope_parameters"}) {
      const nlohmann::json* const rope = find(key);
      if (rope == nullptr) continue;
      if (!rope->is_object()) refuse(key, *rope, "an object is needed");
      const bool has_theta = find_in(*rope, "rope_theta") != nullptr;
      const std::pair<float, RopeScaling> here{
          has_theta ? rope_number(key, *rope, "rope_theta") : plain.first, scaling(key, *rope)};
      if (found && *found != here) refuse(key, *rope, "rope_scaling says otherwise");
      found = here;
    }
    return found.value_or(plain);
  }

  RopeScaling scaling(const char* key, const nlohmann::json& rope) const {
    const nlohmann::json *type = find_in(rope, "rope_type"), *older = find_in(rope, "type");
    if (type != nullptr && older != nullptr && *type != *older)
      refuse(key, rope, "rope_type and type differ");
    if (type == nullptr) type = older;
    const bool is_linear = type != nullptr && *type == "linear",
               is_llama3 = type != nullptr && *type == "llama3";
    if (type != nullptr && *type != "default" && !is_linear && !is_llama3)
      refuse(key, rope, "only the types default, linear and llama3 are supported");

    std::set<std::string> known{"rope_type", "type", "rope_theta"};
    if (is_linear || is_llama3) known.insert("factor");
    if (is_llama3)
      known.insert({"low_freq_factor", "high_freq_factor", "original_max_position_embeddings"});
    for (const auto& entry : rope.items())
      if (known.count(entry.key()) == 0 && !entry.value().is_null())
        refuse(key, rope, "its " + printable(entry.key()) + " is not supported");
    if (is_linear) return LinearRopeScaling{rope_number(key, rope, "factor")};
    if (!is_llama3) return {};

    const char* const context = "original_max_position_embeddings";
    const nlohmann::json *original = find_in(rope, context), *top = find(context);
    if (original == nullptr || !is_size(*original))
      refuse(key, rope, std::string("its ") + context + " must be a positive 32-bit integer");
    if (top != nullptr && *top != *original)  // some versions of transformers prefer it
      refuse(context, *top, std::string(key) + " says otherwise");
    return Llama3RopeScaling{.factor = rope_number(key, rope, "factor"),
                             .low_freq_factor = rope_number(key, rope, "low_freq_factor"),
                             .high_freq_factor = rope_number(key, rope, "high_freq_factor"),
                             .original_context = original->get<std::size_t>()};
  }

  float rope_number(const char* key, const nlohmann::json& rope, const char* name) const {
    const nlohmann::json* const value = find_in(rope, name);
    const std::optional<float> number = value == nullptr ? std::nullopt : positive_number(*value);
    if (!number) refuse(key, rope, std::string("its ") + name + " must be a positive number");
    return *number;
  }

  std::string where_;
  nlohmann::json root_;
};

/// The safetensors file of a folder, or the several files that an index names.
class HuggingFaceTensors {
 public:
  explicit HuggingFaceTensors(const std::filesystem::path& folder) : folder_(folder) {
    const std::filesystem::path single = folder / "model.safetensors";
    const std::filesystem::path index = folder / "model.safetensors.index.json";
    std::error_code unreadable;  // counts as absent here; opening it says what is wrong
    if (std::filesystem::exists(single, unreadable)) {
      const SafetensorsFile& file = files_.emplace("model.safetensors", single).first->second;
      for (const std::string& name : file.names()) place_.emplace(name, &file);
      return;
    }
    expects(std::filesystem::exists(index, unreadable), folder.string(),
            ": has neither model.safetensors nor model.safetensors.index.json");
    read_index(index);
  }

  std::size_t count() const { return place_.size(); }
  bool contains(const std::string& name) const { return place_.count(name) != 0; }
  void mark_used(const std::string& name) { used_.insert(name); }
  const SafetensorsFile& file_of(const std::string& name) const {
    const auto found = place_.find(name);
    expects(found != place_.end(), folder_.string(), ": no tensor ", printable(name));
    return *found->second;
  }
  AlignedVector<float> floats(const std::string& name, std::vector<std::size_t> shape) {
    used_.insert(name);
    return file_of(name).floats(name, shape);
  }

  /// A tensor that nobody asked for may be a bias or another model's part: not to be ignored.
  void expect_all_used(bool tied_head) const {
    for (const auto& [name, file] : place_) {
      const std::string_view rotary = "rotary_emb.inv_freq";  // old files store what theta implies
      const bool is_rotary = name.size() >= rotary.size() &&
                             name.compare(name.size() - rotary.size(), rotary.size(), rotary) == 0;
      const bool is_copy = tied_head && name == "lm_head.weight" && is_copy_of_embedding();
      expects(used_.count(name) != 0 || is_rotary || is_copy, file->path().string(), ": tensor ",
              printable(name), ": no place for it in this model");
    }
  }

 private:
  void read_index(const std::filesystem::path& path) {
    const std::string where = path.string();
    const nlohmann::json root = parse_json_object(MappedFile(path).text(), where);
    const auto map = root.find("weight_map");
    expects(map != root.end() && map->is_object(), where, ": weight_map is not an object");
    for (const auto& [name, file_name] : map->items()) {
      const std::string file = file_name.is_string() ? file_name.get<std::string>() : "";
      const bool is_plain = !file.empty() && file != "." && file != ".." &&
                            file.find('/') == std::string::npos &&
                            file.find('\0') == std::string::npos;
      expects(is_plain, where, ": tensor ", printable(name),
              ": its file is not a name in this folder");
      auto found = files_.find(file);
      if (found == files_.end()) found = files_.emplace(file, folder_ / file).first;
      expects(found->second.contains(name), where, ": tensor ", printable(name), ": is not in ",
              printable(file));
      place_.emplace(name, &found->second);
    }
    for (const auto& [file, tensors] : files_)
      for (const std::string& name : tensors.names())
        expects(place_.count(name) != 0 && place_.at(name) == &tensors, where, ": tensor ",
                printable(name), ": is in ", printable(file), ", but the index says otherwise");
  }

  bool is_copy_of_embedding() const {
    const std::string head = "lm_head.weight", embedding = "model.embed_tokens.weight";
    const SafetensorsFile &a = file_of(head), &b = file_of(embedding);
    return a.at(head).dtype == b.at(embedding).dtype &&
           std::ranges::equal(a.bytes(head), b.bytes(embedding));
  }

  std::filesystem::path folder_;
  std::map<std::string, SafetensorsFile> files_;
  std::map<std::string, const SafetensorsFile*> place_;
  std::set<std::string> used_;
};

/// Rotary embedding there pairs row i of a head with row i + head_dim / 2; here with its
/// neighbour: rows (i, i + head_dim / 2) there are (2i, 2i + 1) here. From a row here to that there.
inline std::size_t row_there(std::size_t row, std::size_t head_dim) {
  const std::size_t within = row % head_dim;
  return row - within + within % 2 * (head_dim / 2) + within / 2;
}

/// Rows of there in the order of here: `rows` is (heads * head_dim, any number of columns).
template <class T>
AlignedVector<T> interleave_halves(const AlignedVector<T>& rows, std::size_t row_count,
                                   std::size_t head_dim) {
  const std::size_t cols = rows.size() / row_count;
  AlignedVector<T> result(rows.size());
  for (std::size_t row = 0; row < row_count; ++row)
    std::copy_n(rows.data() + row_there(row, head_dim) * cols, cols, result.data() + row * cols);
  return result;
}
/// The way back.
template <class T>
AlignedVector<T> separate_pairs(const AlignedVector<T>& rows, std::size_t row_count,
                                std::size_t head_dim) {
  const std::size_t cols = rows.size() / row_count;
  AlignedVector<T> result(rows.size());
  for (std::size_t row = 0; row < row_count; ++row)
    std::copy_n(rows.data() + row * cols, cols, result.data() + row_there(row, head_dim) * cols);
  return result;
}

}  // namespace detail

/// Reads config.json and model.safetensors (or the shards that model.safetensors.index.json names)
/// of a LlamaForCausalLM in F32, F16 or BF16. Errors name the file, and the key and its value or
/// the tensor; a setting that would change the model's results and is not supported is an error.
inline LlamaWeights read_hugging_face(const std::filesystem::path& folder) {
  LlamaWeights weights;
  LlamaConfig& config = weights.config;
  config = detail::HuggingFaceConfig(folder / "config.json").read();
  detail::HuggingFaceTensors tensors(folder);
  expects(config.layers <= tensors.count() / std::size(detail::block_tensors), folder.string(),
          ": config.json says ", config.layers, " layers, the ", tensors.count(),
          " tensors are too few for them");
  weights.embedding = tensors.floats("model.embed_tokens.weight", {config.vocab, config.dim});
  weights.blocks.resize(config.layers);
  for (std::size_t block = 0; block < config.layers; ++block) {
    for (const detail::BlockTensor& tensor : detail::block_tensors) {
      const std::string name = "model.layers." + std::to_string(block) + "." +
                               std::string(tensor.hugging_face_name) + ".weight";
      const std::size_t cols = detail::extent(config, tensor.cols);
      AlignedVector<float>& target = weights.blocks[block].*tensor.member;
      target = tensor.rows == detail::Extent::one
                   ? tensors.floats(name, {cols})
                   : tensors.floats(name, {detail::extent(config, tensor.rows), cols});
      const bool is_rotated = tensor.name == "query" || tensor.name == "key";
      if (is_rotated)
        target = detail::interleave_halves(target, detail::extent(config, tensor.rows),
                                           config.head_dim);
    }
  }
  weights.final_norm = tensors.floats("model.norm.weight", {config.dim});
  if (!config.tied_head)
    weights.head = tensors.floats("lm_head.weight", {config.vocab, config.dim});
  tensors.expect_all_used(config.tied_head);
  return weights;
}

}  // namespace lrqat

#endif  // LRQAT_IO_HUGGING_FACE_HPP
