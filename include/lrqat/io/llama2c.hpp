// SPDX-License-Identifier: MIT
// io/llama2c.hpp: LLaMA checkpoints in the formats of llama2.c: version 0 (float32), 2 (int8).
#ifndef LRQAT_IO_LLAMA2C_HPP
#define LRQAT_IO_LLAMA2C_HPP

#include <lrqat/core/expects.hpp>
#include <lrqat/io/atomic_file.hpp>
#include <lrqat/io/detail/bytes.hpp>
#include <lrqat/io/detail/llama_tensors.hpp>
#include <lrqat/io/mapped_file.hpp>
#include <lrqat/nn/llama_weights.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace lrqat {

namespace detail {

/// One file's way through a checkpoint: where it is and what it has made so far.
struct Llama2cReader {
  std::string where;
  ByteReader bytes;
  LlamaWeights weights;

  Llama2cReader(std::span<const std::byte> file, std::string path)
      : where(path), bytes(file, std::move(path)) {}

  /// The seven int32: dim, hidden, layers, heads, kv heads, vocabulary, context.
  void dimensions() {
    std::int32_t d[7];
    bytes.numbers(std::span<std::int32_t>(d), "the header");
    LlamaConfig& config = weights.config;
    config.tied_head = d[5] > 0;
    for (std::int32_t* number : {d, d + 1, d + 2, d + 3, d + 4, d + 6})
      expects(*number > 0, where, ": header: number ", number - d + 1, " of 7 is ", *number);
    expects(d[5] != 0, where, ": header: the vocabulary is empty");
    expects(d[0] % d[3] == 0, where, ": header: dim ", d[0], " is no multiple of ", d[3], " heads");
    config.dim = static_cast<std::size_t>(d[0]);
    config.hidden_dim = static_cast<std::size_t>(d[1]);
    config.layers = static_cast<std::size_t>(d[2]);
    config.heads = static_cast<std::size_t>(d[3]);
    config.kv_heads = static_cast<std::size_t>(d[4]);
    config.head_dim = config.dim / config.heads;
    config.vocab = static_cast<std::size_t>(std::abs(std::int64_t{d[5]}));
    config.context = static_cast<std::size_t>(d[6]);
    check_config(config, where);
  }

  /// Before anything of the header's sizes is allocated, the file must have just that size.
  void expect_size(std::size_t size) const {
    const std::size_t rest = bytes.left();
    expects(size == rest, where, ": the header asks for ", size, " bytes after it, the file has ",
            rest);
  }

  void floats(AlignedVector<float>& target, std::size_t size, const std::string& name) {
    target.resize(size);
    bytes.numbers(std::span(target), name);
    expect_finite(target, where, name);
  }

  /// int8 values, then one float scale for each `group_size` of them.
  void int8(AlignedVector<float>& target, std::size_t size, std::size_t group_size,
            const std::string& name) {
    expects(size % group_size == 0, where, ": tensor ", name, ": ", size,
            " elements are no multiple of the group size ", group_size);
    const std::span<const std::byte> codes = bytes.take(size, name);
    target.resize(size);
    for (std::size_t group = 0; group < size; group += group_size) {
      const auto scale = bytes.number<float>(name);
      for (std::size_t i = group; i < group + group_size; ++i)
        target[i] = static_cast<float>(std::to_integer<std::int8_t>(codes[i])) * scale;
    }
    expect_finite(target, where, name);
  }
};

inline std::size_t table_size(const LlamaConfig& config) {
  return saturating_product({config.vocab, config.dim});
}

inline void read_llama2c_float(Llama2cReader& in) {
  in.dimensions();
  LlamaWeights& weights = in.weights;
  const LlamaConfig& config = weights.config;
  const std::size_t rope_size = saturating_product({config.context, config.head_dim});
  std::size_t block_size = 0;
  for (const BlockTensor& tensor : block_tensors)
    block_size = saturating_sum({block_size, tensor.size(config)});
  const std::size_t tables = config.tied_head ? 1 : 2;
  in.expect_size(saturating_product(
      {sizeof(float),
       saturating_sum({saturating_product({tables, table_size(config)}),
                       saturating_product({config.layers, block_size}), config.dim, rope_size})}));

  in.floats(weights.embedding, table_size(config), "embedding");
  weights.blocks.resize(config.layers);
  for (const BlockTensor& tensor : block_tensors)
    for (std::size_t block = 0; block < config.layers; ++block)
      in.floats(weights.blocks[block].*tensor.member, tensor.size(config),
                tensor_name(block, tensor));
  in.floats(weights.final_norm, config.dim, "final_norm");
  in.bytes.take(rope_size * sizeof(float), "the rotary tables");  // computed by whoever needs them
  if (!config.tied_head) in.floats(weights.head, table_size(config), "head");
}

inline constexpr std::uint32_t llama2c_magic = 0x616B3432;  // "ak42"
inline constexpr std::size_t llama2c_header_size = 256;     // of versions 1 and later

inline void read_llama2c_int8(Llama2cReader& in) {
  in.bytes.number<std::uint32_t>("the magic number");
  const auto version = in.bytes.number<std::int32_t>("the version");
  expects(version == 2, in.where, ": llama2.c version ", version,
          " is not supported, only 0 (float32) and 2 (int8)");
  in.dimensions();
  LlamaWeights& weights = in.weights;
  LlamaConfig& config = weights.config;
  expects(config.tied_head, in.where, ": header: the vocabulary is negative");
  const auto is_tied = in.bytes.number<std::uint8_t>("the header");
  expects(is_tied <= 1, in.where, ": header: the flag of a shared head is ", is_tied);
  config.tied_head = is_tied == 1;
  const auto signed_group_size = in.bytes.number<std::int32_t>("the header");
  expects(signed_group_size > 0, in.where, ": header: the group size is ", signed_group_size);
  const auto group_size = static_cast<std::size_t>(signed_group_size);
  const auto padding = in.bytes.take(llama2c_header_size - in.bytes.position(), "the header");
  expects(
      std::all_of(padding.begin(), padding.end(), [](std::byte b) { return b == std::byte{0}; }),
      in.where, ": header: its padding is not zero");

  const auto stored_size = [&](std::size_t size) {
    const std::size_t groups = size / group_size + (size % group_size != 0 ? 1 : 0);
    return saturating_sum({size, saturating_product({groups, sizeof(float)})});
  };
  std::size_t block_size = 0;
  for (const BlockTensor& tensor : block_tensors) {
    const std::size_t size = tensor.size(config);
    const bool is_norm = tensor.rows == Extent::one;
    block_size = saturating_sum(
        {block_size, is_norm ? saturating_product({size, sizeof(float)}) : stored_size(size)});
  }
  const std::size_t tables = config.tied_head ? 1 : 2;
  in.expect_size(saturating_sum({saturating_product({tables, stored_size(table_size(config))}),
                                 saturating_product({config.layers, block_size}),
                                 saturating_product({config.dim, sizeof(float)})}));

  weights.blocks.resize(config.layers);
  for (const BlockTensor& tensor : block_tensors)
    for (std::size_t block = 0; tensor.rows == Extent::one && block < config.layers; ++block)
      in.floats(weights.blocks[block].*tensor.member, config.dim, tensor_name(block, tensor));
  in.floats(weights.final_norm, config.dim, "final_norm");
  in.int8(weights.embedding, table_size(config), group_size, "embedding");
  for (const BlockTensor& tensor : block_tensors)
    for (std::size_t block = 0; tensor.rows != Extent::one && block < config.layers; ++block)
      in.int8(weights.blocks[block].*tensor.member, tensor.size(config), group_size,
              tensor_name(block, tensor));
  if (!config.tied_head) in.int8(weights.head, table_size(config), group_size, "head");
}

}  // namespace detail

/// Reads a llama2.c checkpoint: version 0 (float32, the head shared or not) or 2 (int8, given back
/// as code * scale). The file's size must be exactly what its header says; that is checked before
/// memory of the header's sizes is taken. Errors name the file and the tensor; NaN and infinity
/// are errors. The format knows neither theta nor epsilon: they are 10000 and 1e-5.
inline LlamaWeights read_llama2c(const std::filesystem::path& path) {
  const MappedFile file(path);
  detail::Llama2cReader in(file.bytes(), path.string());
  const bool has_magic =
      detail::ByteReader(file.bytes(), in.where).number<std::uint32_t>("the header") ==
      detail::llama2c_magic;
  if (has_magic)
    detail::read_llama2c_int8(in);
  else
    detail::read_llama2c_float(in);
  return std::move(in.weights);
}

/// Writes version 0 (float32), atomically. A model that the format cannot hold is an error:
/// another theta or epsilon, a scaled rotation, or heads * head_dim != dim.
inline void write_llama2c(const std::filesystem::path& path, const LlamaWeights& weights) {
  const std::string where = path.string();
  const LlamaConfig& config = weights.config;
  detail::check_weights(weights, where);
  expects(
      config.rope_theta == LlamaConfig{}.rope_theta && config.norm_eps == LlamaConfig{}.norm_eps,
      where, ": the llama2.c format implies theta 10000 and epsilon 1e-5, the model has ",
      config.rope_theta, " and ", config.norm_eps);
  expects(!is_scaled(config.rope_scaling), where, ": the llama2.c format has no place for the ",
          "model's rotary scaling; write GGUF or safetensors");
  expects(config.heads * config.head_dim == config.dim, where, ": the llama2.c format needs ",
          "heads * head size = dim, the model has ", config.heads, " * ", config.head_dim, " and ",
          config.dim);
  for (const std::size_t number : {config.dim, config.hidden_dim, config.layers, config.heads,
                                   config.kv_heads, config.vocab, config.context})
    expects(number <= INT32_MAX, where, ": ", number, " does not fit the header");
  const auto vocab = static_cast<std::int32_t>(config.vocab);
  std::string header;
  for (const std::size_t number :
       {config.dim, config.hidden_dim, config.layers, config.heads, config.kv_heads})
    detail::append_number(header, static_cast<std::int32_t>(number));
  detail::append_number(header, config.tied_head ? vocab : -vocab);
  detail::append_number(header, static_cast<std::int32_t>(config.context));

  AtomicFile file(path);
  const auto write = [&](std::span<const float> values) { file.write(std::as_bytes(values)); };
  file.write(header);
  write(weights.embedding);
  for (const detail::BlockTensor& tensor : detail::block_tensors)
    for (const LlamaWeights::Block& block : weights.blocks) write(block.*tensor.member);
  write(weights.final_norm);
  const std::size_t pairs = config.head_dim / 2;
  std::vector<float> cosines, sines;  // (context, pairs), for programs that read them
  for (std::size_t position = 0; position < config.context; ++position) {
    for (std::size_t i = 0; i < pairs; ++i) {
      const double exponent = -static_cast<double>(i) / static_cast<double>(pairs);
      const double angle = static_cast<double>(position) *
                           std::pow(static_cast<double>(config.rope_theta), exponent);
      cosines.push_back(static_cast<float>(std::cos(angle)));
      sines.push_back(static_cast<float>(std::sin(angle)));
    }
  }
  write(cosines);
  write(sines);
  write(weights.head);
  file.commit();
}

}  // namespace lrqat

#endif  // LRQAT_IO_LLAMA2C_HPP
