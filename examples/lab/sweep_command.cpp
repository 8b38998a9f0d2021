// SPDX-License-Identifier: MIT
// examples/lab/sweep_command.cpp: lrqat-lab sweep.
#include "commands.hpp"
#include "interruption.hpp"
#include "joined.hpp"
#include "options.hpp"
#include "own_model.hpp"
#include "scheme_names.hpp"
#include "sweep.hpp"
#include "sweep_report.hpp"

#include <lrqat/core/expects.hpp>
#include <lrqat/io/atomic_file.hpp>

#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace lrqat::lab {

namespace {

constexpr const char* sweep_explanation =
    R"(How much does quantization cost as models grow, read more, and share scales among more
weights? The scaling law of quantization-aware training (Chen et al. 2025, arXiv 2505.14302) says

  L(N, D, G) = A / N^alpha + B / D^beta + E + delta
  delta      = k D^gamma_D (log2 G)^gamma_G / N^gamma_N

for N weights in linear layers, D training tokens and G weights to a scale. This command measures
it. For each size and token count it trains a small LLaMA from random weights without quantization,
and one for each group size that is quantized from its first step on, as the paper counts delta:
the same training with and without. It is full QAT: weights, scales, norms and embedding are all
trained; the seed's weights and order of windows are those of every run; rates rise over a twentieth
of the steps and fall to 0. Then it fits the law to the test losses: A, alpha, B, beta and E to the
unquantized runs, k and the gammas to what the others lose against them (Huber's loss of the error
of log L, square up to 1 %, as losses of small models scatter that much).

A size is <width>x<layers>; heads have 16 numbers, hidden layers 8/3 of the width, rounded up to a
multiple of 64. The law needs at least 3 sizes, 3 token counts and 2 group sizes; tokens beyond the
end of the text are read again, which the law does not know about. At 4 bits delta is some
hundredths of a nat, and that much do losses scatter after less than some 300,000 tokens.

With --out, the folder gets a line in points.jsonl as soon as a run is finished; the same command,
or one with more sizes, token counts or groups, goes on from there. In the end it gets sweep.md and
.json, loss.svg and .png (loss by group size, measured and by the law), error.svg and .png (delta).
Without --tokens and --data the models read stories of the lab's own.

Examples:
  lrqat-lab sweep --out runs/law
  lrqat-lab sweep --tokens train.u16 --dev dev.u16 --test test.u16 --scheme w3-pc-lsq --out runs/w3
  lrqat-lab sweep --sizes 32x2 64x2 64x4 128x4 --train-tokens 200000 400000 800000 --groups 4 16 32
)";

struct SweepOptions : Options {
  std::vector<std::string> sizes{"32x2", "64x2", "96x3"};
  SweepPlan plan{.token_counts = {225'000, 450'000, 900'000},
                 .group_sizes = {4, 8, 32},
                 .vocab = own_vocabulary};
  double budget = 0.02;
};

Splits text_of_sweep(const SweepOptions& options) {
  const TextSources& text = options.text;
  if (text.tokens.empty() && text.data.empty()) {
    expects(text.dev.empty() && text.test.empty() && text.tokenizer.empty(),
            "--dev, --test and --tokenizer are for a text that --tokens or --data names");
    expects(options.plan.vocab == own_vocabulary, "--vocab ", options.plan.vocab,
            ": the lab's own stories have ", own_vocabulary, " tokens");
    return own_text().splits;
  }
  return TextReader(text, {}, options.plan.vocab).splits(options.plan.context);
}

void sweep(SweepOptions& options, Exit& exit) {
  options.apply();
  SweepPlan& plan = options.plan;
  for (const std::string& size : options.sizes) plan.sizes.push_back(parse_sweep_size(size));
  plan.scheme = parse_scheme(options.scheme);
  expects(plan.scheme.method == Method::full_qat, "--scheme ", options.scheme,
          ": a sweep trains from random weights, which only full QAT does, such as w4-pc-lsq");
  sweep_points(plan);  // what is wrong with the plan is said before anything costs time
  ProgressBar progress;
  const Splits splits = text_of_sweep(options);
  if (!splits.note.empty()) progress.note(splits.note);
  for (const std::uint64_t tokens : plan.token_counts)
    if (tokens > splits.train.tokens.size())
      progress.note(joined("--train-tokens ", tokens, ": the text has ", splits.train.tokens.size(),
                           ", what is beyond is read again"));

  std::optional<FinishedRuns> finished;
  if (!options.out.empty()) {
    make_folder(options.out);
    finished.emplace(options.out / "points.jsonl", sweep_fingerprint(plan, splits));
  }
  std::optional<std::vector<SweepPoint>> points;
  {
    const Interruption interruption;
    points =
        run_sweep(plan, splits, finished ? &*finished : nullptr, progress, &interruption.flag());
  }
  if (!points) {
    exit = Exit::interrupted;
    progress.note(stopped_note(finished));
    return;
  }

  const SweepReport report(std::move(*points), options.budget);
  JsonObject object = report.json();
  object["experiment"] = sweep_fingerprint(plan, splits);
  const std::string json = object.dump() + "\n", text = report.text();
  std::cout << (options.json ? json : text);
  if (options.out.empty()) return;
  write_file(options.out / "sweep.md", text);
  write_file(options.out / "sweep.json", json);
  const std::string what = joined(options.scheme, " from scratch on ", splits.train.origin);
  for (const char* end : {".svg", ".png"}) {
    draw(report.loss_plot(joined("Loss: ", what)), options.out / joined("loss", end));
    draw(report.error_plot(joined("Cost of quantization: ", what)),
         options.out / joined("error", end));
  }
}

}  // namespace

void add_sweep_command(CLI::App& program, Exit& exit) {
  CLI::App* const command = program.add_subcommand(
      "sweep", "Train small models over sizes, tokens and groups, and fit the scaling law of QAT");
  const auto options = std::make_shared<SweepOptions>();
  SweepPlan& plan = options->plan;
  command->add_option("--sizes", options->sizes, "Models, as <width>x<layers>")
      ->capture_default_str();
  command
      ->add_option("--train-tokens", plan.token_counts, "Tokens to train on, each for every size")
      ->check(whole_number(1, std::uint64_t{1} << 40))
      ->capture_default_str();
  command
      ->add_option("--groups", plan.group_sizes,
                   "Weights that share a scale, beside the runs without quantization")
      ->check(whole_number(2, 4096))
      ->capture_default_str();
  add_scheme(*command, *options, "w4-pc-lsq");
  add_text(*command, *options);
  command->get_option("--tokenizer")
      ->description("For --data: a llama2.c .bin or a SentencePiece .model of --vocab pieces");
  add_splits(*command, *options);
  command->add_option("--vocab", plan.vocab, "Tokens that the text can have")
      ->check(whole_number(2, 65536))
      ->capture_default_str();
  command->add_option("--context", plan.context, "Tokens of a window")
      ->check(whole_number(1, 1u << 14))
      ->capture_default_str();
  command->add_option("--batch", plan.batch, "Windows in one step")
      ->check(whole_number(1, 1024))
      ->capture_default_str();
  command
      ->add_option("--windows", plan.windows,
                   "Measure on the first so many windows only (default: all)")
      ->check(whole_number(1, 1u << 30));
  command->add_option("--lr", plan.rate, "Learning rate of everything but scales")
      ->check(positive_number())
      ->capture_default_str();
  command->add_option("--lr-scale", plan.scale_rate, "Learning rate of scales")
      ->check(positive_number())
      ->capture_default_str();
  command->add_option("--seed", plan.seed, "Of initial weights and the order of windows")
      ->check(whole_number(0, UINT64_MAX / 2))
      ->capture_default_str();
  command
      ->add_option("--budget", options->budget,
                   "Nats that quantization may cost, for the advice which groups to take")
      ->check(positive_number())
      ->capture_default_str();
  command->add_option("--out", options->out,
                      "Folder that keeps finished runs, and gets tables and plots");
  add_machine(*command, *options);
  command->footer(sweep_explanation);
  command->callback([=, &exit] { sweep(*options, exit); });
}

}  // namespace lrqat::lab
