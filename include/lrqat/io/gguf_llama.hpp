// SPDX-License-Identifier: MIT
// io/gguf_llama.hpp: LLaMAs as GGUF files, as llama.cpp runs them.
#ifndef LRQAT_IO_GGUF_LLAMA_HPP
#define LRQAT_IO_GGUF_LLAMA_HPP

#include <lrqat/io/detail/float_bytes.hpp>
#include <lrqat/io/detail/gguf_config.hpp>
#include <lrqat/io/gguf.hpp>
#include <lrqat/io/gguf_writer.hpp>
#include <lrqat/io/llama2c_tokenizer.hpp>
#include <lrqat/io/stored_llama.hpp>

#include <cmath>
#include <set>

namespace lrqat {

namespace detail {

inline std::string gguf_name(std::size_t block, const BlockTensor& tensor) {
  return "blk." + std::to_string(block) + "." + std::string(tensor.gguf_name) + ".weight";
}
inline std::string gguf_name(const LinearName& which) {
  return gguf_name(which.block, block_tensor(name(which.kind)));
}

/// Codes and scales of a quantized tensor; none for floats, nor for Q4_1 whose minima are no
/// integer multiples of their scales, so that no zero point stands for them.
inline std::optional<MergedWeight> merged_weight_of(const GgufFile& file,
                                                    const GgufTensor& tensor) {
  if (tensor.type == GgmlType::f32 || tensor.type == GgmlType::f16) return std::nullopt;
  const Shape shape{tensor.shape[0], tensor.shape[1]};
  const ScaleLayout layout{{shape.rows, shape.cols / ggml_block}, ggml_block};
  MergedWeight weight{.shape = shape,
                      .layout = layout,
                      .scales = {},
                      .zero_points = {},
                      .bias = {},
                      .codes = AlignedVector<std::int16_t>(shape.size())};
  weight.bits = tensor.type == GgmlType::q8_0 ? 8 : 4;
  weight.has_zero_point = tensor.type == GgmlType::q4_1;
  weight.code_min = weight.has_zero_point ? 0 : -(1 << (weight.bits - 1));
  weight.scales.resize(layout.size());
  bool is_exact = true;
  const auto take = [&]<class Block>(std::type_identity<Block>, int offset) {
    for_each_block<Block>(file.bytes(tensor), [&](std::size_t i, const Block& block) {
      weight.scales[i] = static_cast<float>(block.d);
      for (std::size_t j = 0; j < ggml_block; ++j)
        weight.codes[i * ggml_block + j] =
            static_cast<std::int16_t>(stored_code(block, j) - offset);
      if constexpr (std::is_same_v<Block, BlockQ4_1>) {
        const float scale = weight.scales[i], minimum = static_cast<float>(block.m);
        const float zero = scale == 0.0f || minimum == 0.0f ? 0.0f : -minimum / scale;
        // Up to 2^12 times a scale of 11 bits, every weight is exact either way.
        is_exact = is_exact && std::floor(zero) == zero && std::fabs(zero) <= 0x1p12f &&
                   -scale * zero == minimum;
        weight.zero_points.push_back(zero);
      }
    });
  };
  if (tensor.type == GgmlType::q4_0) take(std::type_identity<BlockQ4_0>(), 8);
  if (tensor.type == GgmlType::q4_1) take(std::type_identity<BlockQ4_1>(), 0);
  if (tensor.type == GgmlType::q8_0) take(std::type_identity<BlockQ8_0>(), 0);
  if (!is_exact) return std::nullopt;
  return weight;
}

/// The type whose grid is exactly the weight's. @throws Error for any other weight, which says
/// what to train instead
inline GgmlType ggml_type_of(const MergedWeight& weight, const std::string& layer) {
  const std::string instead =
      "; train Int<4> (for Q4_0), UInt<4> or Offset<UInt<4>> (Q4_1) or Int<8> (Q8_0) with "
      "PerGroup<32> and Fp16Scale";
  const bool is_signed = weight.code_min < 0;
  const bool shifts = weight.has_zero_point || weight.has_offset();
  const bool is_4 = weight.bits == 4 && is_signed != shifts;
  const bool is_8 = weight.bits == 8 && is_signed && !shifts;
  expects(weight.is_uniform, layer, ": its grid has levels of its own, which no type of GGUF has",
          instead);
  expects(is_4 || is_8, layer, ": ", weight.has_offset() ? "Offset<" : "",
          is_signed ? "Int<" : "UInt<", weight.bits, weight.has_offset() ? ">> " : "> ",
          "is the grid of no type of GGUF", instead);
  const std::string type = is_8 ? "Q8_0" : is_signed ? "Q4_0" : "Q4_1";
  expects(weight.shape.cols % ggml_block == 0, layer, ": rows of ", weight.shape.cols,
          " weights are no multiple of 32, the block of ", type,
          "; write safetensors, which hold rows of any length, or leave this layer in float");
  expects(
      weight.layout.group_columns == ggml_block && weight.layout.scales.rows == weight.shape.rows,
      layer, ": ", weight.layout.scales.rows != weight.shape.rows ? "all rows" : "",
      weight.layout.scales.rows != weight.shape.rows
          ? " share a scale"
          : std::to_string(weight.layout.group_columns) + " weights share a scale",
      ", those of ", type, " are groups of 32; train with PerGroup<32>");
  expects(weight.bias.empty(), layer, ": has a bias, for which a LLaMA in GGUF has no place");
  for (std::size_t i = 0; i < weight.scales.size(); ++i) {
    expects(is_half(weight.scales[i]), layer, ": scale ", i, " is ", weight.scales[i],
            ", which 16 bits do not hold exactly; train with Fp16Scale");
    const float zero = weight.has_zero_point ? weight.zero_points[i] : 0.0f;
    expects(is_half(weight.scales[i] * zero), layer, ": scale ", i, " times its zero point ", zero,
            " is ", weight.scales[i] * zero,
            ", which 16 bits do not hold exactly; train with Fp16Scale");
    expects(!weight.has_offset() || is_half(weight.offsets[i]), layer, ": offset ", i, " is ",
            weight.has_offset() ? weight.offsets[i] : 0.0f,
            ", which 16 bits do not hold exactly; train with Fp16Scale");
  }
  return is_8 ? GgmlType::q8_0 : is_signed ? GgmlType::q4_0 : GgmlType::q4_1;
}

template <class Block>
AlignedVector<std::byte> blocks_of(const MergedWeight& weight) {
  AlignedVector<std::byte> bytes(weight.scales.size() * sizeof(Block));
  for (std::size_t i = 0; i < weight.scales.size(); ++i) {
    Block block;
    block.d = half(weight.scales[i]);
    if constexpr (std::is_same_v<Block, BlockQ4_1>)  // from 0, so that no minimum is -0
      block.m = half(weight.has_offset() ? weight.offsets[i]
                                         : 0.0f - weight.scales[i] * weight.zero_points[i]);
    const int offset = std::is_same_v<Block, BlockQ4_0> ? 8 : 0;
    for (std::size_t j = 0; j < ggml_block; ++j)
      store_code(block, j, weight.codes[i * ggml_block + j] + offset);
    std::memcpy(bytes.data() + i * sizeof(Block), &block, sizeof(Block));
  }
  return bytes;
}
inline AlignedVector<std::byte> blocks_of(const MergedWeight& weight, GgmlType type) {
  return type == GgmlType::q4_0   ? blocks_of<BlockQ4_0>(weight)
         : type == GgmlType::q4_1 ? blocks_of<BlockQ4_1>(weight)
                                  : blocks_of<BlockQ8_0>(weight);
}

/// As F32, or rounded to F16. @throws Error for a number beyond what they hold
inline AlignedVector<std::byte> floats_as(GgmlType type, std::span<const float> values,
                                          const std::string& name) {
  return type == GgmlType::f32 ? bytes_of<float>(values, name) : bytes_of<half>(values, name);
}

/// llama.cpp's word for what most weights of the file are.
inline std::uint32_t file_type_of(GgmlType type) {
  return type == GgmlType::q8_0 ? 7 : static_cast<std::uint32_t>(type);
}

}  // namespace detail

/// How the floats of a model are written: embedding, head, and linear layers that are not
/// quantized. Norms are always F32.
enum class GgufFloats { f32, f16 };

/// Writes a merged LLaMA as llama.cpp reads it, atomically. Nothing is rounded unless `floats` says
/// so: weights before and after are equal bit for bit. A scaled rotation is written so that it has
/// the same angles: a linear one by its factor, any other as the divisors of its frequencies.
/// @throws Error where a layer's grid is not exactly that of Q4_0, Q4_1 or Q8_0, with what to train
///         instead; where the vocabulary has another size than the model's
inline void write_gguf_llama(const std::filesystem::path& path, const LlamaToStore& model,
                             const Vocabulary& vocabulary, GgufFloats floats = GgufFloats::f32) {
  const LlamaConfig& config = model.frame.config;
  expects(vocabulary.pieces.size() == config.vocab, path.string(), ": the tokenizer has ",
          vocabulary.pieces.size(), " pieces, the model ", config.vocab);
  const GgmlType plain = floats == GgufFloats::f16 ? GgmlType::f16 : GgmlType::f32;
  std::vector<GgufTensorToWrite> tensors;
  const auto add = [&](const std::string& name, GgmlType type, std::span<const float> values,
                       std::vector<std::size_t> shape) {
    tensors.push_back(
        {name, type, std::move(shape), [=] { return detail::floats_as(type, values, name); }});
  };
  const std::vector<std::size_t> table{config.vocab, config.dim}, norm{config.dim};
  add("token_embd.weight", plain, model.frame.embedding.values(), table);
  AlignedVector<float> divisors;
  if (detail::has_rope_divisors(config)) {
    divisors =
        rope_divisors(config.rope_scaling, config.head_dim, static_cast<double>(config.rope_theta));
    add(detail::rope_divisors_tensor, GgmlType::f32, divisors, {divisors.size()});
  }
  std::map<GgmlType, std::size_t> weights_of_type;
  for (std::size_t block = 0; block < config.layers; ++block) {
    add(detail::gguf_name(block, detail::block_tensor("attention_norm")), GgmlType::f32,
        model.frame.attention_norm[block].value, norm);
    add(detail::gguf_name(block, detail::block_tensor("mlp_norm")), GgmlType::f32,
        model.frame.mlp_norm[block].value, norm);
    for (const LinearKind kind : linear_kinds) {
      const LinearName which{block, kind};
      const AnyLinear& layer = model.layer(which);
      const GgmlType type =
          layer.is_merged() ? detail::ggml_type_of(layer.merged_weight(), which.text()) : plain;
      const std::string name = detail::gguf_name(which);
      weights_of_type[type] += layer.out_features() * layer.in_features();
      tensors.push_back(
          {name, type, {layer.out_features(), layer.in_features()}, [&layer, type, name] {
             return layer.is_merged() ? detail::blocks_of(layer.merged_weight(), type)
                                      : detail::floats_as(type, layer.weight(), name);
           }});
    }
  }
  add("output_norm.weight", GgmlType::f32, model.frame.final_norm.value, norm);
  if (!config.tied_head) add("output.weight", plain, model.frame.head.values(), table);

  GgufMetadata metadata;
  detail::add_config(metadata, config);
  detail::add_vocabulary(metadata, vocabulary);
  const auto most =
      std::max_element(weights_of_type.begin(), weights_of_type.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; });
  metadata["general.file_type"] = detail::file_type_of(most->first);
  metadata["general.quantization_version"] = std::uint32_t{2};
  write_gguf(path, metadata, tensors);
}

/// Reads a LLaMA: in float32, exactly as the file says, and the codes of its quantized layers.
/// @throws Error that names the file, and the key or the tensor; an architecture, a key under
///         "llama." or a tensor that is not known is one
inline StoredLlama read_gguf_llama(const GgufFile& file) {
  StoredLlama read;
  LlamaWeights& weights = read.weights;
  LlamaConfig& config = weights.config;
  config = detail::config_of_gguf(file);
  config.tied_head = !file.has_tensor("output.weight");
  config.vocab = file.tensor("token_embd.weight").shape.front();
  expects(!file.contains("llama.vocab_size") || file.integer("llama.vocab_size") == config.vocab,
          file.where(), ": llama.vocab_size is not the ", config.vocab, " of token_embd.weight");
  std::set<std::string> used;
  const auto floats = [&](const std::string& name, const std::vector<std::size_t>& shape) {
    used.insert(name);
    return file.floats(name, shape);
  };
  if (file.has_tensor(detail::rope_divisors_tensor)) {
    expects(!is_scaled(config.rope_scaling), file.where(), ": tensor ",
            detail::rope_divisors_tensor, " beside llama.rope.scaling.factor: not supported");
    config.rope_scaling = RopeDivisors{floats(detail::rope_divisors_tensor, {config.head_dim / 2})};
  }
  detail::check_config(config, file.where());
  expects(config.layers <= file.tensors().size() / std::size(detail::block_tensors), file.where(),
          ": ", config.layers, " blocks, the ", file.tensors().size(),
          " tensors are too few for them");
  const std::vector<std::size_t> table{config.vocab, config.dim};
  weights.embedding = floats("token_embd.weight", table);
  weights.final_norm = floats("output_norm.weight", {config.dim});
  if (!config.tied_head) weights.head = floats("output.weight", table);
  weights.blocks.resize(config.layers);
  for (std::size_t block = 0; block < config.layers; ++block)
    for (const detail::BlockTensor& tensor : detail::block_tensors) {
      const std::size_t cols = detail::extent(config, tensor.cols);
      std::vector<std::size_t> shape{cols};
      if (tensor.rows != detail::Extent::one)
        shape.insert(shape.begin(), detail::extent(config, tensor.rows));
      weights.blocks[block].*tensor.member = floats(detail::gguf_name(block, tensor), shape);
    }
  for (const GgufTensor& tensor : file.tensors())
    expects(used.count(tensor.name) != 0, file.where(), ": tensor ", detail::printable(tensor.name),
            ": no place for it in this model");
  detail::for_each_linear_name(config, [&](const LinearName& which) {
    read.layers.push_back(detail::merged_weight_of(file, file.tensor(detail::gguf_name(which))));
  });
  return read;
}
inline StoredLlama read_gguf_llama(const std::filesystem::path& path) {
  return read_gguf_llama(GgufFile(path));
}

/// The vocabulary that a file carries, of the kind "llama".
/// @throws Error where there is none, or of another kind, or without a space before a text
inline Vocabulary read_gguf_vocabulary(const GgufFile& file) {
  const std::string prefix = "tokenizer.ggml.";
  const std::string* const model = file.find<std::string>(prefix + "model");
  expects(model != nullptr && *model == "llama", file.where(), ": ", prefix, "model is ",
          model == nullptr ? "missing" : detail::printable(*model), "; only llama is supported");
  const bool* const has_space = file.find<bool>(prefix + "add_space_prefix");
  expects(has_space == nullptr || *has_space, file.where(), ": ", prefix,
          "add_space_prefix is false: not supported");
  const auto* const texts = file.find_list<std::string>(prefix + "tokens");
  const auto* const scores = file.find_list<float>(prefix + "scores");
  const auto* const kinds = file.find_list<std::int32_t>(prefix + "token_type");
  expects(texts != nullptr && scores != nullptr && kinds != nullptr &&
              scores->size() == texts->size() && kinds->size() == texts->size(),
          file.where(), ": ", prefix, "tokens, scores and token_type are not of one length");
  Vocabulary vocabulary;
  for (std::size_t id = 0; id < texts->size(); ++id) {
    expects((*kinds)[id] >= 1 && (*kinds)[id] <= 6, file.where(), ": ", prefix, "token_type of ",
            id, " is ", (*kinds)[id], ", 1 to 6 are possible");
    vocabulary.pieces.push_back(
        {(*texts)[id], (*scores)[id], static_cast<PieceKind>((*kinds)[id])});
  }
  const auto id = [&](const char* key, std::uint32_t fallback) {
    const std::uint32_t* const value = file.find<std::uint32_t>(prefix + key);
    const std::uint32_t found = value == nullptr ? fallback : *value;
    expects(found < texts->size(), file.where(), ": ", prefix, key, " is ", found,
            ", outside the vocabulary of ", texts->size());
    return found;
  };
  vocabulary.unknown = id("unknown_token_id", 0);
  vocabulary.bos = id("bos_token_id", 1);
  vocabulary.eos = id("eos_token_id", 2);
  return vocabulary;
}

}  // namespace lrqat

#endif  // LRQAT_IO_GGUF_LLAMA_HPP
