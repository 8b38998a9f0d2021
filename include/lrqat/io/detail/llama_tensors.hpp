// SPDX-License-Identifier: MIT
// io/detail/llama_tensors.hpp: the tensors of a LLaMA block with their shapes, as one table.
#ifndef LRQAT_IO_DETAIL_LLAMA_TENSORS_HPP
#define LRQAT_IO_DETAIL_LLAMA_TENSORS_HPP

#include <lrqat/core/expects.hpp>
#include <lrqat/io/detail/bytes.hpp>
#include <lrqat/nn/llama_weights.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace lrqat::detail {

enum class Extent { one, dim, hidden, query, key_value };

inline std::size_t extent(const LlamaConfig& config, Extent which) {
  switch (which) {
    case Extent::one:
      return 1;
    case Extent::dim:
      return config.dim;
    case Extent::hidden:
      return config.hidden_dim;
    case Extent::query:
      return saturating_product({config.heads, config.head_dim});
    case Extent::key_value:
      break;
  }
  return saturating_product({config.kv_heads, config.head_dim});
}

struct BlockTensor {
  std::string_view name;  // as in LlamaWeights::Block
  AlignedVector<float> LlamaWeights::Block::*member;
  Extent rows, cols;  // a norm is one row
  std::string_view hugging_face_name, gguf_name;

  std::size_t size(const LlamaConfig& config) const {
    return saturating_product({extent(config, rows), extent(config, cols)});
  }
};

using LlamaBlock = LlamaWeights::Block;

/// In the order of a llama2.c file.
inline constexpr BlockTensor block_tensors[] = {
    {"attention_norm", &LlamaBlock::attention_norm, Extent::one, Extent::dim, "input_layernorm",
     "attn_norm"},
    {"query", &LlamaBlock::query, Extent::query, Extent::dim, "self_attn.q_proj", "attn_q"},
    {"key", &LlamaBlock::key, Extent::key_value, Extent::dim, "self_attn.k_proj", "attn_k"},
    {"value", &LlamaBlock::value, Extent::key_value, Extent::dim, "self_attn.v_proj", "attn_v"},
    {"output", &LlamaBlock::output, Extent::dim, Extent::query, "self_attn.o_proj", "attn_output"},
    {"mlp_norm", &LlamaBlock::mlp_norm, Extent::one, Extent::dim, "post_attention_layernorm",
     "ffn_norm"},
    {"gate", &LlamaBlock::gate, Extent::hidden, Extent::dim, "mlp.gate_proj", "ffn_gate"},
    {"down", &LlamaBlock::down, Extent::dim, Extent::hidden, "mlp.down_proj", "ffn_down"},
    {"up", &LlamaBlock::up, Extent::hidden, Extent::dim, "mlp.up_proj", "ffn_up"},
};

/// Of the linear layers and norms by their name in LlamaWeights::Block.
inline const BlockTensor& block_tensor(std::string_view name) {
  for (const BlockTensor& tensor : block_tensors)
    if (tensor.name == name) return tensor;
  fail("a block has no tensor ", name);
}

/// "blocks.3.query", for error messages.
inline std::string tensor_name(std::size_t block, const BlockTensor& tensor) {
  return "blocks." + std::to_string(block) + "." + std::string(tensor.name);
}

/// The relations between the numbers of a configuration that every reader relies on.
inline void check_config(const LlamaConfig& c, const std::string& where) {
  expects(c.dim > 0 && c.hidden_dim > 0 && c.layers > 0 && c.heads > 0 && c.kv_heads > 0 &&
              c.head_dim > 0 && c.vocab > 0 && c.context > 0,
          where, ": every dimension must be positive: dim ", c.dim, ", hidden ", c.hidden_dim,
          ", layers ", c.layers, ", heads ", c.heads, ", kv heads ", c.kv_heads, ", head size ",
          c.head_dim, ", vocabulary ", c.vocab, ", context ", c.context);
  expects(c.heads % c.kv_heads == 0, where, ": ", c.heads, " heads are no multiple of ", c.kv_heads,
          " kv heads");
  expects(c.head_dim % 2 == 0, where, ": the head size ", c.head_dim, " is odd");
  check_rope_scaling(c.rope_scaling, c.head_dim, where);
}

/// All tensors have the sizes that the configuration gives them, and are finite.
inline void check_weights(const LlamaWeights& weights, const std::string& where) {
  const LlamaConfig& config = weights.config;
  check_config(config, where);
  const auto check = [&](const AlignedVector<float>& values, std::size_t size,
                         std::string_view name) {
    expects(values.size() == size, where, ": tensor ", name, ": has ", values.size(),
            " elements, the configuration says ", size);
    expect_finite(values, where, name);
  };
  const std::size_t table = saturating_product({config.vocab, config.dim});
  check(weights.embedding, table, "embedding");
  check(weights.final_norm, config.dim, "final_norm");
  check(weights.head, config.tied_head ? 0 : table, "head");
  expects(weights.blocks.size() == config.layers, where, ": has ", weights.blocks.size(),
          " blocks, the configuration says ", config.layers);
  for (std::size_t block = 0; block < config.layers; ++block)
    for (const BlockTensor& tensor : block_tensors)
      check(weights.blocks[block].*tensor.member, tensor.size(config), tensor_name(block, tensor));
}

}  // namespace lrqat::detail

#endif  // LRQAT_IO_DETAIL_LLAMA_TENSORS_HPP
