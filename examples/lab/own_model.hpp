// SPDX-License-Identifier: MIT
// examples/lab/own_model.hpp: the lab's own corpus, tokenizer and pretrained model, kept in a
// cache.
#ifndef LRQAT_LAB_OWN_MODEL_HPP
#define LRQAT_LAB_OWN_MODEL_HPP

#include "progress.hpp"
#include "text.hpp"

#include <lrqat/io/llama2c_tokenizer.hpp>
#include <lrqat/nn/llama_weights.hpp>

#include <cstddef>
#include <filesystem>
#include <optional>

namespace lrqat::lab {

/// Stories of the lab's own grammar.
struct OwnText {
  Llama2cTokenizer tokenizer;
  Splits splits;
};

inline constexpr std::size_t own_vocabulary = 512;

OwnText own_text();

/// A LLaMA of stories260K's shape that has read stories of the lab's own grammar.
struct OwnModel {
  Llama2cTokenizer tokenizer;
  LlamaWeights weights;
  Splits splits;
  std::filesystem::path model_file{}, tokenizer_file{};  // empty where the cache cannot be written
  bool was_cached = false;
};

/// Takes about a second when the model is in the cache, otherwise one to two minutes. The cache is
/// $XDG_CACHE_HOME/lrqat or ~/.cache/lrqat; a file there belongs to exactly one corpus and recipe,
/// and one that cannot be read is made again.
OwnModel own_model(ProgressBar& progress);

}  // namespace lrqat::lab

#endif  // LRQAT_LAB_OWN_MODEL_HPP
