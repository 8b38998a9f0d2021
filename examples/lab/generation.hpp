// SPDX-License-Identifier: MIT
// examples/lab/generation.hpp: text from a model, token by token through a KV cache.
#ifndef LRQAT_LAB_GENERATION_HPP
#define LRQAT_LAB_GENERATION_HPP

#include "model.hpp"

#include <lrqat/io/tokenizer.hpp>
#include <lrqat/nn/sampler.hpp>

#include <cstddef>
#include <functional>
#include <string>

namespace lrqat::lab {

struct GenerationPlan {
  std::string prompt{};    // may be empty
  std::size_t tokens = 0;  // at most; 0: until the context is full
  SamplerOptions sampler{.temperature = 0};
};

struct Generation {
  std::string text;  // prompt included
  std::size_t prompt_tokens = 0, tokens = 0;
  std::size_t cache_bytes = 0;  // of keys and values, for the whole context
  double prefill_seconds = 0, decode_seconds = 0;
};

/// Keys and values are kept in the bits that the model quantizes them to, else in float.
/// Ends where the model begins another text (or ends this one: token 2 of LLaMA tokenizers).
/// @param on_text  called with each piece of text as it comes, the prompt first; may be empty
/// @throws Error where prompt and tokens do not fit the model's context
Generation generate(Model& model, const Tokenizer& tokenizer, const GenerationPlan& plan,
                    const std::function<void(const std::string&)>& on_text = {});

}  // namespace lrqat::lab

#endif  // LRQAT_LAB_GENERATION_HPP
