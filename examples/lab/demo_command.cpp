// SPDX-License-Identifier: MIT
// examples/lab/demo_command.cpp: what lrqat-lab does without a command.
#include "commands.hpp"
#include "generation.hpp"
#include "own_model.hpp"
#include "scheme_names.hpp"
#include "table.hpp"
#include "table_layout.hpp"

#include <algorithm>
#include <array>
#include <iomanip>
#include <iostream>
#include <memory>

#include <sys/ioctl.h>
#include <unistd.h>

namespace lrqat::lab {

namespace {

constexpr const char* demo_schemes[] = {
    "fp32",       "fp32-tuned",    "w4-pc-rtn", "w4-pc-peqa", "w4-pc-q4.4-r8", "w3-pc-rtn",
    "w3-pc-peqa", "w3-pc-q3.5-r8", "w2-pc-rtn", "w2-pc-peqa", "w2-pc-q2.6-r8", "w2-pc-lsq"};
constexpr const char* shown_schemes[] = {"fp32", "w2-pc-rtn", "w2-pc-q2.6-r8"};
constexpr const char* shown_titles[] = {"float32", "2 bits, rounded", "2 bits, LR-QAT"};

std::size_t terminal_width() {
  struct winsize size {};
  const bool is_known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 60;
  return is_known ? std::min<std::size_t>(size.ws_col, 132) : 100;
}

/// Texts beside each other, each under its title.
void show_columns(const std::array<std::string, 3>& texts) {
  const std::size_t width = (terminal_width() - 6) / 3;
  std::array<std::vector<std::string>, 3> columns;
  std::size_t height = 0;
  for (std::size_t c = 0; c < columns.size(); ++c) {
    columns[c] = wrapped(texts[c], width);
    columns[c].insert(columns[c].begin(), {shown_titles[c], std::string(width, '-')});
    height = std::max(height, columns[c].size());
  }
  for (std::size_t line = 0; line < height; ++line) {
    for (std::size_t c = 0; c < columns.size(); ++c) {
      const std::string text = line < columns[c].size() ? columns[c][line] : std::string();
      if (c + 1 < columns.size())
        std::cout << std::left << std::setw(static_cast<int>(width + 3)) << text;
      else
        std::cout << text;
    }
    std::cout << '\n';
  }
}

void demo() {
  ProgressBar progress;
  std::cout
      << R"(lrqat-lab: what does quantization cost a language model, and what does training recover?

1. A model of its own
   Stories for children from a seeded grammar, a tokenizer of 512 pieces made from them, and a
   LLaMA of 260,000 numbers that learns to tell such stories. One to two minutes, once.
)" << std::endl;
  const OwnModel own = own_model(progress);
  if (own.was_cached)
    std::cout << "   From the cache: " << own.model_file.string() << "\n";
  else if (!own.model_file.empty())
    std::cout << "   Kept for the next time: " << own.model_file.string() << "\n";
  std::cout << "   " << grouped_digits(own.splits.train.tokens.size()) << " tokens to train on, "
            << grouped_digits(own.splits.test.tokens.size()) << R"( of other stories to test on.

2. The table
   Its linear layers in 4, 3 and 2 bits, one scale for each output. Perplexity is how many tokens
   the model hesitates between: 1 would be certainty. rtn only rounds; peqa then trains the scales;
   LR-QAT (q4.4-r8 ...) trains a low-rank adapter inside the rounding, which vanishes when it is
   merged; lsq trains every weight and needs the memory for it. fp32-tuned is the control: the same
   training without quantization.
)" << std::endl;

  TablePlan plan;
  for (const char* name : demo_schemes) plan.schemes.push_back(parse_scheme(name));
  plan.recipe.steps = 200;
  plan.recipe.batch = 8;
  std::array<std::string, 3> samples;
  const auto sample = [&](const TableRow& row, Model& model) {
    for (std::size_t i = 0; i < samples.size(); ++i)
      if (name_of(row.scheme) == shown_schemes[i])
        samples[i] =
            generate(model, own.tokenizer, {.prompt = "Once upon a time", .tokens = 150}).text;
  };
  const std::vector<TableRow> rows = make_table(own.weights, own.splits, plan, progress, sample);
  std::cout << table_text(rows) << R"(
   bits/weight counts a 16-bit scale for each output; linear MB is what the linear layers take at
   the peak of training: weights, gradients, optimizer, working memory.

3. The same story, told by three models
)" << std::endl;
  show_columns(samples);
  std::cout << R"(
Where to go from here
   lrqat-lab schemes            what else can be put into the table
   lrqat-lab table --help       the table for a model and a text of yours
   lrqat-lab train --help       one scheme, with checkpoints and a log
   lrqat-lab sweep --help       how the cost of quantization scales with models, text and groups
   lrqat-lab generate --help    text from a model or a run
)";
  if (!own.model_file.empty())
    std::cout << "   lrqat-lab generate " << own.model_file.string() << " --tokenizer "
              << own.tokenizer_file.string() << " --temperature 0.8\n";
}

}  // namespace

void add_demo(CLI::App& program, Exit&) {
  program.callback([&program] {
    if (program.get_subcommands().empty()) demo();
  });
}

}  // namespace lrqat::lab
