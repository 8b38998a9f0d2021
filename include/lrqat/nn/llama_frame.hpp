// SPDX-License-Identifier: MIT
// nn/llama_frame.hpp: what a LLaMA has besides its linear layers: embedding, norms, head.
#ifndef LRQAT_NN_LLAMA_FRAME_HPP
#define LRQAT_NN_LLAMA_FRAME_HPP

#include <lrqat/core/aligned.hpp>
#include <lrqat/core/expects.hpp>
#include <lrqat/core/matrix_view.hpp>
#include <lrqat/core/parameter.hpp>
#include <lrqat/nn/linear_name.hpp>
#include <lrqat/nn/llama_weights.hpp>

#include <cstddef>
#include <span>
#include <string>
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
};

/// Errors: sizes that are zero or do not divide; matrices whose sizes are not those of the config.
inline void check_llama_weights(const LlamaWeights& weights) {
  const LlamaConfig& c = weights.config;
  expects(c.dim > 0 && c.hidden_dim > 0 && c.layers > 0 && c.vocab > 0 && c.context > 0,
          "Llama: empty model: dim ", c.dim, ", hidden_dim ", c.hidden_dim, ", layers ", c.layers,
          ", vocab ", c.vocab, ", context ", c.context);
  expects(c.vocab <= 65536, "Llama: ", c.vocab, " tokens, but tokens have 16 bits");
  expects(c.kv_heads > 0 && c.heads > 0 && c.heads % c.kv_heads == 0, "Llama: ", c.heads,
          " heads are not a multiple of ", c.kv_heads, " kv heads");
  expects(c.head_dim > 0 && c.head_dim % 2 == 0, "Llama: head_dim is ", c.head_dim,
          ", rotary embedding needs an even number");
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

  void train(bool trained) { gradient.assign(trained ? value.size() : 0, T(0)); }
  /// None when frozen.
  Parameters<T> parameter(const char* name, Role role) {
    Parameters<T> all;
    if (!gradient.empty()) all.push_back({name, role, value, gradient});
    return all;
  }
};

/// Embedding, norms and head in T, copied from a checkpoint.
template <class T>
struct LlamaFrame {
  LlamaConfig config;
  FrameTensor<T> embedding;                              // (vocab, dim)
  std::vector<FrameTensor<T>> attention_norm, mlp_norm;  // (layers) of (dim)
  FrameTensor<T> final_norm;                             // (dim)
  FrameTensor<T> head;                                   // (vocab, dim); empty when tied

  /// Everything is frozen until train() is called.
  explicit LlamaFrame(const LlamaWeights& weights) : config(weights.config) {
    check_llama_weights(weights);
    const auto copy = [](const AlignedVector<float>& from) {
      return FrameTensor<T>{AlignedVector<T>(from.begin(), from.end()), {}};
    };
    embedding = copy(weights.embedding);
    for (const LlamaWeights::Block& block : weights.blocks) {
      attention_norm.push_back(copy(block.attention_norm));
      mlp_norm.push_back(copy(block.mlp_norm));
    }
    final_norm = copy(weights.final_norm);
    head = copy(weights.head);
  }

  /// Gives gradients to what `options` trains, and takes them from the rest.
  void train(const LlamaOptions& options) {
    embedding.train(options.train_embedding);
    head.train(options.train_embedding);
    final_norm.train(options.train_norms);
    for (FrameTensor<T>& norm : attention_norm) norm.train(options.train_norms);
    for (FrameTensor<T>& norm : mlp_norm) norm.train(options.train_norms);
  }

  MatrixView<const T> embedding_view() const {
    return {embedding.value.data(), config.vocab, config.dim};
  }
  /// (vocab, dim), the embedding itself when tied.
  MatrixView<const T> head_view() const {
    return {(config.tied_head ? embedding : head).value.data(), config.vocab, config.dim};
  }
  /// The tensor that plays the head.
  FrameTensor<T>& head_tensor() { return config.tied_head ? embedding : head; }
};

}  // namespace lrqat

#endif  // LRQAT_NN_LLAMA_FRAME_HPP
