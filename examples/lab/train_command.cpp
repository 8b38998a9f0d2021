// SPDX-License-Identifier: MIT
// examples/lab/train_command.cpp: lrqat-lab train.
#include "commands.hpp"
#include "interruption.hpp"
#include "joined.hpp"
#include "layer_factory.hpp"  // check_compute
#include "memory.hpp"
#include "model_source.hpp"
#include "options.hpp"
#include "pace.hpp"
#include "scheme_names.hpp"
#include "train_shape.hpp"

#include <lrqat/core/expects.hpp>
#include <lrqat/io/json_line.hpp>  // JsonObject

#include <cstdio>
#include <iostream>
#include <memory>

namespace lrqat::lab {

namespace {

constexpr const char* train_explanation =
    R"(The recipe: AdamW (0.9, 0.95) without decay; the rates rise over the first tenth of the steps
and fall linearly to 0; gradients are clipped to norm 1. Embeddings, head and norms are frozen.
Default learning rates (adapters or weights, scales), found with stories260K for some 240 steps:
                4 bits and more    3 bits           2 bits
  LR-QAT        0.03, 3e-4         0.03, 2e-3       0.06, 5e-3
  peqa          -, 3e-4            -, 2e-3          -, 1e-2
  lsq           5e-4, 3e-4         1e-3, 3e-4       3e-3, 1e-3
  wd            0.01, 3e-4         0.01, 3e-4       0.01, 5e-3
  fp32-tuned    1e-4
Long runs on large models want far smaller ones: LR-QAT's paper has 1e-3 and 1e-5.

With --out, the folder gets run.json, log.jsonl (a line for each step) and checkpoint.safetensors.
Ctrl-C leaves a checkpoint there; the same command with --resume goes on to the same bits.

With --shape, no model and no text: what does a training step of a model of that shape cost? Weights
come from the seed straight into the scheme's storage, embedding and head are bfloat16, only the
inputs of blocks are kept between the passes. It prints the time of a step and the memory by part.
Unless they are given: w4-pc-q4.4-minmax, rank 32, 1 step of 1 window of 1024 tokens. Name a scheme
with -minmax: the search for the best range, usual for models, takes hours for billions of weights.

The ceiling that a pace is a fraction of: the float32 multiply-adds that this machine does on as
many threads, measured; counted are 6 operations for each linear weight and token.

Examples:
  lrqat-lab train --model stories260K.bin --tokens train.u16 --dev dev.u16 --test test.u16
      --scheme w4-pc-q4.4-r8 --out runs/w4
  lrqat-lab train --model hf-folder --data text.txt --scheme w4-g32-q4.4-r8 --out runs/hf
  lrqat-lab export runs/hf --format gguf    # then: a file for llama.cpp
  lrqat-lab train --shape llama2-7b --storage packed
)";

struct TrainOptions : Options {
  std::string shape, storage, compute;
  bool resume = false;
  std::uint64_t checkpoint_every = 100;
};

/// What the folder is asked for, before anything costs time.
void check_folder(const TrainOptions& options, const RunFolder& folder) {
  if (options.out.empty()) {
    expects(!options.resume, "--resume needs the folder of the run: --out FOLDER");
    return;
  }
  expects(options.resume || !folder.holds_a_run(), folder.path().string(),
          ": holds a run already; add --resume to continue it, or name another folder");
}

/// --storage: the base of LR-QAT in place of the scheme's own.
void use_storage(const std::string& storage, Scheme& scheme) {
  if (storage.empty()) return;
  expects(scheme.method == Method::lr_qat && !scheme.weight_domain, "--storage ", storage,
          " is for the base of LR-QAT; scheme ", name_of(scheme), " has none");
  scheme.base = storage == "packed"        ? Base::packed
                : storage == "fixed-point" ? Base::fixed_point
                : storage == "bf16"        ? Base::bf16
                                           : Base::fp32;
}

JsonObject result_of(const Score& score, const TrainResult& result, const Options& options,
                     const LlamaConfig& config, Model& model, std::size_t peak_bytes,
                     const Pace& pace) {
  JsonObject object{{"scheme", name_of(options.adaptation.scheme)},
                    {"compute", name_of(options.adaptation.compute)},
                    {"scale_format", name_of(options.adaptation.scale_type)},
                    {"seed", options.adaptation.seed},
                    {"steps", result.steps},
                    {"dev_ppl", score.dev.perplexity},
                    {"test_ppl", score.test.perplexity},
                    {"merged_ppl", nullptr},
                    {"train_seconds", result.seconds},
                    {"tokens_per_second", result.tokens_per_second},
                    {"linear_peak_bytes", peak_bytes},
                    {"trainable", trained_numbers(model)},
                    {"bits_per_weight", bits_per_weight(config, options.adaptation.scheme)}};
  if (score.merged) object["merged_ppl"] = score.merged->perplexity;
  add_pace(pace, object);
  return object;
}

void tell(const JsonObject& result, const Pace& pace, const std::string& folder) {
  const auto number = [&](const char* key) { return result[key].get<double>(); };
  std::printf("%s, products in %s, seed %.0f, %.0f steps\n",
              result["scheme"].get<std::string>().c_str(),
              result["compute"].get<std::string>().c_str(), number("seed"), number("steps"));
  std::printf("  perplexity       %.4f on the development text, %.4f on the test text\n",
              number("dev_ppl"), number("test_ppl"));
  if (!result["merged_ppl"].is_null())
    std::printf("  merged           %.4f on the test text (codes and scales only)\n",
                number("merged_ppl"));
  std::printf("  bits per weight  %.3f\n", number("bits_per_weight"));
  std::printf("  trained numbers  %.0f\n", number("trainable"));
  std::printf("  time             %s, %.0f tokens a second\n",
              clock_text(number("train_seconds")).c_str(), number("tokens_per_second"));
  std::printf("  %s\n", pace_text(pace).c_str());
  std::printf("  linear layers    %.2f MB at the peak\n", number("linear_peak_bytes") / 1e6);
  if (!folder.empty()) std::printf("  kept in          %s\n", folder.c_str());
}

void train(TrainOptions& options, const CLI::App& command, Exit& exit) {
  const bool from_shape = command.count("--shape") != 0;
  expects(from_shape || !options.model.empty(),
          "train needs a model (--model) or the shape of one (--shape)");
  if (from_shape) apply_shape_defaults(command, options.shape, options);
  options.apply();
  Scheme& scheme = options.adaptation.scheme;
  scheme = parse_scheme(options.scheme);
  use_storage(options.storage, scheme);
  if (options.compute == "bf16") options.adaptation.compute = ComputeType::bf16;
  check_compute(scheme, options.adaptation.compute);
  expects(scheme.trains(), "scheme ", options.scheme,
          " has nothing to train; lrqat-lab eval measures it");
  expects(scheme.method != Method::peqa || !options.recipe.rate, "scheme ", options.scheme,
          " trains scales only: give --lr-scale, not --lr");
  if (from_shape) return train_shape(options.shape, options);
  const RunFolder folder(options.out);
  check_folder(options, folder);

  const ModelSource source = open_plain_model(options.model, "training");
  const LlamaConfig& config = source.weights.config;
  const std::size_t context = training_window_length(config, options.recipe);
  ProgressBar progress;
  const Splits splits = TextReader(options.text, source.tokenizer, config.vocab).splits(context);
  if (!splits.note.empty()) progress.note(splits.note);
  Model model = make_model(source.weights, options.adaptation, options.recipe.recompute);
  const std::size_t peak_bytes = linear_peak_bytes(model, options.recipe.batch * context);

  RunFiles files;
  Run run{.model = source.path, .adaptation = options.adaptation, .recipe = options.recipe};
  if (!source.tokenizer.empty()) run.tokenizer = std::filesystem::absolute(source.tokenizer);
  if (!options.text.tokenizer.empty())
    run.tokenizer = std::filesystem::absolute(options.text.tokenizer).lexically_normal();
  run.fingerprint =
      run_fingerprint(source.weights, options.adaptation, options.recipe, splits.train);
  if (!options.out.empty()) {
    if (folder.holds_a_run()) {
      const Run before = folder.read();
      expects(before.fingerprint == run.fingerprint, folder.path().string(),
              ": holds another run: '", before.fingerprint, "', this one is '", run.fingerprint,
              "'");
    }
    run.state = "running";
    folder.write(run);
    files = {folder.checkpoint(), folder.log(), options.checkpoint_every,
             options.resume ? Resume::if_present : Resume::never, run.fingerprint};
  }

  TrainResult result;
  {
    const Interruption interruption;
    progress.begin(name_of(scheme));
    result = train_model(model, options.adaptation, options.recipe, splits.train, files, progress,
                         &interruption.flag());
  }
  if (result.stopped) {
    exit = Exit::interrupted;
    if (options.out.empty()) {
      progress.note(joined("stopped after step ", result.steps,
                           "; nothing is kept, because --out was not given"));
      return;
    }
    run.state = "stopped";
    folder.write(run);
    progress.note(joined("stopped after step ", result.steps, " of ", options.recipe.steps,
                         "; the same command with --resume goes on"));
    return;
  }
  progress.begin(name_of(scheme));
  const Score worth = score(model, scheme, splits, options.measure, progress);
  const Pace pace = pace_of(config, options.recipe.recompute, result.tokens_per_second);
  run.result = result_of(worth, result, options, config, model, peak_bytes, pace);
  if (!options.out.empty()) {
    run.state = "finished";
    folder.write(run);
  }
  if (options.json)
    std::cout << run.result.dump() << '\n';
  else
    tell(run.result, pace, options.out.string());
  expects(!worth.merged || worth.merged->nll == worth.test.nll,
          "the merged model differs from the trained one: nll ", worth.merged->nll, " and ",
          worth.test.nll);
}

}  // namespace

void add_train_command(CLI::App& program, Exit& exit) {
  CLI::App* const command = program.add_subcommand(
      "train", "Train a model under a scheme, merge it, and measure what came of it");
  const auto options = std::make_shared<TrainOptions>();
  add_model(*command, *options);
  command->get_option("--model")->required(false);
  add_shape(*command, options->shape);
  add_scheme(*command, *options, "w4-pc-q4.4-r8");
  command
      ->add_option("--storage", options->storage,
                   "LR-QAT's base in place of the scheme's: packed, fixed-point, bf16, fp32")
      ->check(CLI::IsMember({"packed", "fixed-point", "bf16", "fp32"}));
  command
      ->add_option("--compute", options->compute,
                   "Large products of the linear layers in float (the default) or bf16")
      ->check(CLI::IsMember({"float", "bf16"}));
  add_text(*command, *options);
  add_splits(*command, *options);
  add_measure(*command, *options);
  add_adaptation(*command, *options);
  add_scale_format(*command, *options);
  add_recipe(*command, *options);
  command->add_option("--out", options->out, "Folder of the run (default: nothing is kept)");
  command->add_flag("--resume", options->resume,
                    "Continue the run in --out where it stopped, or begin it");
  command
      ->add_option("--checkpoint-every", options->checkpoint_every,
                   "Steps between checkpoints; 0: only at the end")
      ->check(whole_number(0, std::uint64_t{1} << 40))
      ->capture_default_str();
  add_machine(*command, *options);
  command->footer(train_explanation);
  command->callback([=, &exit] { train(*options, *command, exit); });
}

}  // namespace lrqat::lab
