// SPDX-License-Identifier: MIT
// nn/llama_frame.hpp: what a LLaMA has besides its linear layers: embedding, norms, head.
#ifndef LRQAT_NN_LLAMA_FRAME_HPP
#define LRQAT_NN_LLAMA_FRAME_HPP

#include <lrqat/core/aligned.hpp>
#include <lrqat/core/expects.hpp>
#include <lrqat/core/matrix_view.hpp>
#include <lrqat/core/parameter.hpp>
#include <lrqat/nn/activation_bits.hpp>
#include <lrqat/nn/linear_name.hpp>
#include <lrqat/nn/llama_weights.hpp>
#include <lrqat/nn/token_table.hpp>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace lrqat {

/// Which activations a training step keeps between forward and backward. The results have the same
/// bits either way.
enum class Recompute {
  keep,      // all of them
  per_block  // only the input of each block; the rest is computed again, one block at a time
};

struct LlamaOptions {
  bool train_norms = false;
  bool train_embedding = false;  // and the head, tied or not
  Recompute recompute = Recompute::keep;
  ActivationBits activations{};  // of attention; linear layers quantize their inputs themselves
};

/// Errors: sizes that are zero or do not divide; those of check_rope_scaling.
inline void check_llama_config(const LlamaConfig& c) {
  expects(c.dim > 0 && c.hidden_dim > 0 && c.layers > 0 && c.vocab > 0 && c.context > 0,
          "Llama: empty model: dim ", c.dim, ", hidden_dim ", c.hidden_dim, ", layers ", c.layers,
          ", vocab ", c.vocab, ", context ", c.context);
  expects(c.vocab <= 65536, "Llama: ", c.vocab, " tokens, but tokens have 16 bits");
  expects(c.kv_heads > 0 && c.heads > 0 && c.heads % c.kv_heads == 0, "Llama: ", c.heads,
          " heads are not a multiple of ", c.kv_heads, " kv heads");
  expects(c.head_dim > 0 && c.head_dim % 2 == 0, "Llama: head_dim is ", c.head_dim,
          ", rotary embedding needs an even number");
  check_rope_scaling(c.rope_scaling, c.head_dim, "Llama");
}

/// Errors: those of the config; matrices whose sizes are not those of the config.
inline void check_llama_weights(const LlamaWeights& weights) {
  const LlamaConfig& c = weights.config;
  check_llama_config(c);
  expects(weights.blocks.size() == c.layers, "Llama: ", weights.blocks.size(), " blocks for ",
          c.layers, " layers");
  const auto has = [](const std::string& what, std::size_t got, std::size_t wanted) {
    expects(got == wanted, "Llama: ", what, " has ", got, " numbers, the config wants ", wanted);
  };
  has("embedding", weights.embedding.size(), c.vocab * c.dim);
  has("final_norm", weights.final_norm.size(), c.dim);
  has("head", weights.head.size(), c.tied_head ? 0 : c.vocab * c.dim);
  for (std::size_t b = 0; b < c.layers; ++b) {
    const std::string prefix = "blocks." + std::to_string(b);
    has(prefix + ".attention_norm", weights.blocks[b].attention_norm.size(), c.dim);
    has(prefix + ".mlp_norm", weights.blocks[b].mlp_norm.size(), c.dim);
    for (const LinearKind kind : linear_kinds)
      has(LinearName{b, kind}.text(), linear_weight(weights.blocks[b], kind).size(),
          linear_shape(c, kind).size());
  }
}

/// A tensor and, when it is trained, its gradient.
template <class T>
struct FrameTensor {
  AlignedVector<T> value, gradient;  // gradient is empty when frozen

  std::size_t bytes() const { return (value.size() + gradient.size()) * sizeof(T); }
  void train(bool trained) { gradient.assign(trained ? value.size() : 0, T(0)); }
  /// None when frozen.
  Parameters<T> parameter(const char* name, Role role) {
    Parameters<T> all;
    if (!gradient.empty()) all.push_back({name, role, value, gradient});
    return all;
  }
};

/// Embedding, norms and head.
template <class T>
struct LlamaFrame {
  LlamaConfig config;
  TokenTable<T> embedding;                               // (vocab, dim)
  std::vector<FrameTensor<T>> attention_norm, mlp_norm;  // (layers) of (dim)
  FrameTensor<T> final_norm;                             // (dim)
  TokenTable<T> head;                                    // (vocab, dim); none when tied

  /// In T, copied from a checkpoint. Everything is frozen until train() is called.
  explicit LlamaFrame(const LlamaWeights& weights) : config(weights.config) {
    check_llama_weights(weights);
    const auto copy = [](const AlignedVector<float>& from) {
      return AlignedVector<T>(from.begin(), from.end());
    };
    embedding = {Shape{config.vocab, config.dim}, copy(weights.embedding)};
    for (const LlamaWeights::Block& block : weights.blocks) {
      attention_norm.push_back({copy(block.attention_norm), {}});
      mlp_norm.push_back({copy(block.mlp_norm), {}});
    }
    final_norm = {copy(weights.final_norm), {}};
    if (!config.tied_head) head = {Shape{config.vocab, config.dim}, copy(weights.head)};
  }

  /// With given tables, none for a tied head, and norms that are 1.
  /// Errors: those of the config; tables of other shapes than it wants.
  LlamaFrame(const LlamaConfig& of, TokenTable<T> embeddings, TokenTable<T> own_head)
      : config(of), embedding(std::move(embeddings)), head(std::move(own_head)) {
    check_llama_config(config);
    const auto check = [](const char* what, Shape got, Shape wanted) {
      expects(got == wanted, "Llama: ", what, " is (", got.rows, ", ", got.cols,
              "), the config wants (", wanted.rows, ", ", wanted.cols, ")");
    };
    const Shape table{config.vocab, config.dim};
    check("embedding", embedding.shape(), table);
    check("head", head.shape(), config.tied_head ? Shape{} : table);
    const FrameTensor<T> ones{AlignedVector<T>(config.dim, T(1)), {}};
    attention_norm.assign(config.layers, ones);
    mlp_norm.assign(config.layers, ones);
    final_norm = ones;
  }

  /// Gives gradients to what `options` trains, and takes them from the rest.
  void train(const LlamaOptions& options) {
    embedding.train(options.train_embedding);
    head.train(options.train_embedding);
    final_norm.train(options.train_norms);
    for (FrameTensor<T>& norm : attention_norm) norm.train(options.train_norms);
    for (FrameTensor<T>& norm : mlp_norm) norm.train(options.train_norms);
  }

  /// The table that plays the head: the embedding itself when tied.
  TokenTable<T>& head_table() { return config.tied_head ? embedding : head; }

  std::size_t bytes() const {
    std::size_t sum = embedding.bytes() + head.bytes() + final_norm.bytes();
    for (const FrameTensor<T>& norm : attention_norm) sum += norm.bytes();
    for (const FrameTensor<T>& norm : mlp_norm) sum += norm.bytes();
    return sum;
  }
};

}  // namespace lrqat

#endif  // LRQAT_NN_LLAMA_FRAME_HPP
