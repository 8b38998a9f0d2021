// SPDX-License-Identifier: MIT
// train/self_generated.hpp: training text that a model writes itself.
#ifndef LRQAT_TRAIN_SELF_GENERATED_HPP
#define LRQAT_TRAIN_SELF_GENERATED_HPP

#include <lrqat/core/expects.hpp>
#include <lrqat/nn/kv_cache.hpp>
#include <lrqat/nn/llama.hpp>
#include <lrqat/nn/sampler.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace lrqat {

struct SelfGeneration {
  std::size_t sequences = 1;
  std::size_t length = 0;        // tokens of a sequence; 0: the model's context
  std::size_t greedy = 4;        // likeliest tokens after the first; then they are drawn
  std::uint16_t first_token = 0; // sequence i starts with (first_token + i) modulo the vocabulary
  std::uint64_t seed = 0;        // of sequence 0; sequence i has seed + i
};

/// Text without data (LLM-QAT, Liu et al., arXiv 2305.17888): sequence after sequence, each begun by
/// another token of the vocabulary, a few likeliest tokens after it and the rest drawn from the
/// model's own distribution. The published code varies `greedy` between 3 and 5.
///
/// @param on_sequence  called after each with the number done, or empty
/// Errors: a sequence longer than the context or without tokens; a first token outside the vocabulary.
template <class Linear>
std::vector<std::uint16_t> self_generated_tokens(
    Llama<Linear>& model, const SelfGeneration& plan,
    const std::function<void(std::size_t done)>& on_sequence = {}) {
  using T = typename Linear::scalar;
  const LlamaConfig& config = model.config();
  const std::size_t length = plan.length == 0 ? config.context : plan.length;
  expects(length <= config.context, "self_generated_tokens: sequences of ", length,
          " tokens, the model's context is ", config.context);
  expects(plan.first_token < config.vocab, "self_generated_tokens: first token ", plan.first_token,
          ", the vocabulary has ", config.vocab);
  std::vector<std::uint16_t> text;
  text.reserve(plan.sequences * length);
  KvCache<T> cache(config, length);
  for (std::size_t i = 0; i < plan.sequences; ++i) {
    cache.clear();
    Sampler sampler({.seed = plan.seed + i});
    auto token = static_cast<std::uint16_t>((plan.first_token + i) % config.vocab);
    text.push_back(token);
    for (std::size_t t = 1; t < length; ++t) {
      const std::span<const T> logits = model.step(token, cache);
      token = t <= plan.greedy ? greedy_token(logits) : sampler.next(logits);
      text.push_back(token);
    }
    if (on_sequence) on_sequence(i + 1);
  }
  return text;
}

}  // namespace lrqat

#endif  // LRQAT_TRAIN_SELF_GENERATED_HPP
