// SPDX-License-Identifier: MIT
// examples/lab/experiment.hpp: train a model under a scheme and measure what came of it.
#ifndef LRQAT_LAB_EXPERIMENT_HPP
#define LRQAT_LAB_EXPERIMENT_HPP

#include "model.hpp"
#include "progress.hpp"
#include "recipe.hpp"
#include "text.hpp"

#include <lrqat/nn/perplexity.hpp>
#include <lrqat/optim/adamw.hpp>
#include <lrqat/train/trainer.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace lrqat::lab {

/// How a text is measured: see PerplexityOptions.
struct Measure {
  std::size_t context = 0, windows = 0;
};

PerplexityResult measure(Model& model, const Stream& text, const Measure& how,
                         ProgressBar& progress);

/// Where a run's files are; empty: none.
struct RunFiles {
  std::filesystem::path checkpoint{}, log{};
  std::uint64_t checkpoint_every = 0;
  Resume resume = Resume::never;
  std::string fingerprint{};
};

/// The optimizer of a recipe, for all parameters of the model.
AdamW make_optimizer(Model& model, const Scheme& scheme, const Recipe& recipe);

/// Everything that the bits of a run depend on, as text.
std::string run_fingerprint(const LlamaWeights& weights, const Adaptation& adaptation,
                            const Recipe& recipe, const Stream& train);

/// A hash of the tokens, as text.
std::string fingerprint_of(const Stream& text);

/// How a fingerprint of a run of this model begins.
std::string model_part(const LlamaWeights& weights);

/// Trains by the recipe until its end or until `stop`.
TrainResult train_model(Model& model, const Adaptation& adaptation, const Recipe& recipe,
                        const Stream& train, const RunFiles& files, ProgressBar& progress,
                        const std::atomic<bool>* stop);

/// What a trained or merely rounded model is worth.
struct Score {
  PerplexityResult dev, test;
  std::optional<PerplexityResult> merged;  // of the merged model on the test text, if it merges
};

/// @pre the model's layers are those of `scheme`
Score score(Model& model, const Scheme& scheme, const Splits& splits, const Measure& how,
            ProgressBar& progress);

/// Tokens of a window: `asked`, or the model's context where that is 0.
/// @throws Error where it is beyond the model's
std::size_t window_length(const LlamaConfig& config, std::size_t asked);

/// @throws Error where a pass of so many windows would have more than 2^18 tokens
void expect_pass_size(std::size_t batch, std::size_t length, const char* advice = "");

/// window_length for training. @throws Error also where a pass is too large
std::size_t training_window_length(const LlamaConfig& config, const Recipe& recipe);

}  // namespace lrqat::lab

#endif  // LRQAT_LAB_EXPERIMENT_HPP
