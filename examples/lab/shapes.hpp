// SPDX-License-Identifier: MIT
// examples/lab/shapes.hpp: models known by their shape alone.
#ifndef LRQAT_LAB_SHAPES_HPP
#define LRQAT_LAB_SHAPES_HPP

#include <lrqat/nn/llama_weights.hpp>

#include <string_view>

namespace lrqat::lab {

struct NamedShape {
  std::string_view name;
  LlamaConfig config;
};

/// karpathy's stories15M and stories110M, TinyLlama 1.1B and LLaMA 2 7B.
inline const NamedShape named_shapes[] = {
    {"stories15m",
     {.dim = 288,
      .hidden_dim = 768,
      .layers = 6,
      .heads = 6,
      .kv_heads = 6,
      .head_dim = 48,
      .vocab = 32000,
      .context = 256}},
    {"stories110m",
     {.dim = 768,
      .hidden_dim = 2048,
      .layers = 12,
      .heads = 12,
      .kv_heads = 12,
      .head_dim = 64,
      .vocab = 32000,
      .context = 1024}},
    {"tinyllama-1.1b",
     {.dim = 2048,
      .hidden_dim = 5632,
      .layers = 22,
      .heads = 32,
      .kv_heads = 4,
      .head_dim = 64,
      .vocab = 32000,
      .context = 2048,
      .tied_head = false}},
    {"llama2-7b",
     {.dim = 4096,
      .hidden_dim = 11008,
      .layers = 32,
      .heads = 32,
      .kv_heads = 32,
      .head_dim = 128,
      .vocab = 32000,
      .context = 4096,
      .tied_head = false}},
};

}  // namespace lrqat::lab

#endif  // LRQAT_LAB_SHAPES_HPP
