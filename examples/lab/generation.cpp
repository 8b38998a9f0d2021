// SPDX-License-Identifier: MIT
// examples/lab/generation.cpp: prefill, then one token after the other.
#include "generation.hpp"

#include <lrqat/core/expects.hpp>
#include <lrqat/nn/kv_cache.hpp>
#include <lrqat/nn/quantized_kv_cache.hpp>

#include <algorithm>
#include <chrono>
#include <span>
#include <vector>

namespace lrqat::lab {

namespace {

double seconds_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// The text that follows `prompt` through a cache of either kind.
template <class Cache>
void go_on(Model& model, const Tokenizer& tokenizer, const GenerationPlan& plan,
           const std::vector<Token>& prompt, Cache cache, std::size_t wanted, Generation& result,
           const std::function<void(const std::string&)>& add) {
  constexpr Token end_of_text = 2;
  Sampler sampler(plan.sampler);
  Token last = prompt.back();
  std::span<const float> logits;
  result.cache_bytes = cache.bytes();
  result.prefill_seconds = seconds_of([&] { logits = model.prefill(prompt, cache); });
  result.decode_seconds = seconds_of([&] {
    while (result.tokens < wanted) {
      const Token next = sampler.next(logits);
      if (next == tokenizer.bos() || next == end_of_text) return;
      ++result.tokens;
      add(tokenizer.decode(last, next));
      last = next;
      if (result.tokens < wanted) logits = model.step(next, cache);
    }
  });
}

}  // namespace

Generation generate(Model& model, const Tokenizer& tokenizer, const GenerationPlan& plan,
                    const std::function<void(const std::string&)>& on_text) {
  const std::vector<Token> prompt = tokenizer.encode(plan.prompt, Bos::prepend);
  const std::size_t context = model.config().context;
  expects(prompt.size() < context, "the prompt has ", prompt.size(),
          " tokens, the model's context only ", context);
  const std::size_t room = context - prompt.size();
  expects(plan.tokens <= room, "the prompt's ", prompt.size(), " tokens and ", plan.tokens,
          " more are beyond the model's context of ", context);
  Generation result;
  result.prompt_tokens = prompt.size();
  const auto add = [&](const std::string& text) {
    result.text += text;
    if (on_text && !text.empty()) on_text(text);
  };
  add(decode_all(tokenizer, prompt));

  const std::size_t wanted = plan.tokens == 0 ? room : plan.tokens;
  const ActivationBits& bits = model.options().activations;
  if (bits.cache.quantizes())
    go_on(model, tokenizer, plan, prompt, QuantizedKvCache(model.config(), bits), wanted, result,
          add);
  else
    go_on(model, tokenizer, plan, prompt, KvCache<float>(model.config()), wanted, result, add);
  return result;
}

}  // namespace lrqat::lab
