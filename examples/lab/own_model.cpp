// SPDX-License-Identifier: MIT
// examples/lab/own_model.cpp: stories -> tokenizer -> tokens -> model, with a cache for the last.
#include "own_model.hpp"

#include "joined.hpp"
#include "model.hpp"
#include "pretrain.hpp"
#include "story_grammar.hpp"
#include "train_tokenizer.hpp"

#include <lrqat/core/expects.hpp>
#include <lrqat/io/llama2c.hpp>
#include <lrqat/io/token_stream.hpp>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <system_error>
#include <utility>

namespace lrqat::lab {

namespace {

constexpr std::uint64_t corpus_seed = 1;
constexpr std::size_t corpus_bytes = 3'000'000, held_out_bytes = 150'000;

PretrainPlan pretrain_plan() {
  PretrainPlan plan;
  plan.config = {.dim = 64,
                 .hidden_dim = 172,
                 .layers = 5,
                 .heads = 8,
                 .kv_heads = 4,
                 .head_dim = 8,
                 .vocab = own_vocabulary,
                 .context = 256};
  plan.steps = 1500;
  return plan;
}

std::filesystem::path cache_folder() {
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && *cache == '/')
    return std::filesystem::path(cache) / "lrqat";
  if (const char* home = std::getenv("HOME"); home != nullptr && *home == '/')
    return std::filesystem::path(home) / ".cache" / "lrqat";
  std::error_code ignored;
  return std::filesystem::temp_directory_path(ignored) / "lrqat";
}

/// The model, if the file is there and whole and of the right shape.
std::optional<LlamaWeights> cached(const std::filesystem::path& file, const LlamaConfig& config) {
  try {
    LlamaWeights weights = read_llama2c(file);
    if (weights.config == config) return weights;
  } catch (const Error&) {
  }
  return std::nullopt;
}

}  // namespace

OwnText own_text() {
  const std::string corpus = story_corpus(corpus_seed, corpus_bytes);
  OwnText own{train_tokenizer(corpus, own_vocabulary), {}};
  const auto stream = [&](const std::string& stories, const char* origin) {
    return Stream{tokenize(own.tokenizer, stories), origin, static_cast<double>(stories.size())};
  };
  own.splits.train = stream(corpus, "own stories");
  // Stories have numbers; those of the three splits are far apart.
  own.splits.dev = stream(story_corpus(corpus_seed, held_out_bytes, 1'000'000), "own dev stories");
  own.splits.test =
      stream(story_corpus(corpus_seed, held_out_bytes, 2'000'000), "own test stories");
  return own;
}

OwnModel own_model(ProgressBar& progress) {
  OwnText text = own_text();
  OwnModel own{std::move(text.tokenizer), {}, std::move(text.splits)};
  const PretrainPlan plan = pretrain_plan();
  std::uint64_t key = hash_of(std::as_bytes(std::span(own.splits.train.tokens)));
  const std::size_t recipe[] = {plan.config.dim,
                                plan.config.hidden_dim,
                                plan.config.layers,
                                plan.config.heads,
                                plan.config.kv_heads,
                                plan.config.context,
                                plan.steps,
                                plan.batch,
                                plan.seed};
  key = hash_of(std::as_bytes(std::span(recipe)), key);
  key = hash_of(std::as_bytes(std::span(&plan.learning_rate, 1)), key);
  char digits[20];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(key));
  const std::filesystem::path folder = cache_folder();
  own.model_file = folder / joined("stories-", digits, ".bin");
  own.tokenizer_file = folder / joined("stories-", digits, "-tokenizer.bin");
  if (std::optional<LlamaWeights> weights = cached(own.model_file, plan.config)) {
    own.weights = std::move(*weights);
    own.was_cached = true;
    return own;
  }
  progress.begin("pretraining");
  own.weights = pretrain(plan, own.splits.train, progress);
  try {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    write_llama2c_tokenizer(own.tokenizer_file, own.tokenizer);
    write_llama2c(own.model_file, own.weights);
  } catch (const Error& error) {
    progress.note(joined("the model is not kept: ", error.what()));
    own.model_file.clear();
    own.tokenizer_file.clear();
  }
  return own;
}

}  // namespace lrqat::lab
