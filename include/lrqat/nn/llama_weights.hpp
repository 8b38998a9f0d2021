// SPDX-License-Identifier: MIT
// nn/llama_weights.hpp: a LLaMA checkpoint in memory, as every reader delivers it.
#ifndef LRQAT_NN_LLAMA_WEIGHTS_HPP
#define LRQAT_NN_LLAMA_WEIGHTS_HPP

#include <lrqat/core/aligned.hpp>
#include <lrqat/nn/rope_scaling.hpp>

#include <cstddef>
#include <vector>

namespace lrqat {

struct LlamaConfig {
  std::size_t dim = 0;         // width of the residual stream
  std::size_t hidden_dim = 0;  // width of the gated MLP
  std::size_t layers = 0;
  std::size_t heads = 0, kv_heads = 0;  // heads is a multiple of kv_heads (grouped queries)
  std::size_t head_dim = 0;             // even; heads * head_dim rows in query
  std::size_t vocab = 0;
  std::size_t context = 0;  // longest sequence it was trained for
  float rope_theta = 10000.0f;
  RopeScaling rope_scaling{};
  float norm_eps = 1e-5f;
  bool tied_head = true;  // the output head is the embedding

  bool operator==(const LlamaConfig&) const = default;
};

/// Row-major float32, linear matrices as (out, in). Rotary embedding acts on the interleaved
/// pairs (2i, 2i + 1) of a head; readers of other layouts permute the rows of query and key.
struct LlamaWeights {
  struct Block {
    AlignedVector<float> attention_norm;  // (dim)
    AlignedVector<float> query;           // (heads * head_dim, dim)
    AlignedVector<float> key, value;      // (kv_heads * head_dim, dim)
    AlignedVector<float> output;          // (dim, heads * head_dim)
    AlignedVector<float> mlp_norm;        // (dim)
    AlignedVector<float> gate, up;        // (hidden_dim, dim)
    AlignedVector<float> down;            // (dim, hidden_dim)
  };

  LlamaConfig config;
  AlignedVector<float> embedding;  // (vocab, dim)
  std::vector<Block> blocks;       // (layers)
  AlignedVector<float> final_norm; // (dim)
  AlignedVector<float> head;       // (vocab, dim); empty when tied
};

}  // namespace lrqat

#endif  // LRQAT_NN_LLAMA_WEIGHTS_HPP
