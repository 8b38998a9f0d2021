// SPDX-License-Identifier: MIT
// examples/lab/options.cpp: the shared options, their limits and their help.
#include "options.hpp"

#include "joined.hpp"

#include <lrqat/backend/parallel_for.hpp>
#include <lrqat/core/expects.hpp>

#include <cmath>
#include <cstdint>

namespace lrqat::lab {

CLI::Validator whole_number(std::uint64_t low, std::uint64_t high) {
  const std::string range = joined(low, " to ", high);
  return CLI::Validator(
      [=](std::string& text) {
        std::uint64_t value = 0;
        const bool fits = CLI::detail::lexical_cast(text, value) && low <= value && value <= high;
        return fits ? std::string() : joined("'", text, "' is not a whole number from ", range);
      },
      "");
}

CLI::Validator number_between(double low, double high) {
  const std::string range = joined(low, " to ", high);
  return CLI::Validator(
      [=](std::string& text) {
        double value = 0;
        const bool fits = CLI::detail::lexical_cast(text, value) && low <= value && value <= high;
        return fits ? std::string() : joined("'", text, "' is not a number from ", range);
      },
      "");
}

CLI::Validator positive_number() {
  return CLI::Validator(
      [](std::string& text) {
        double value = 0;
        const bool fits =
            CLI::detail::lexical_cast(text, value) && std::isfinite(value) && value > 0;
        return fits ? std::string() : joined("'", text, "' is not a finite number above 0");
      },
      "");
}

void Options::apply() {
  if (threads != 0) set_thread_count(threads);
  recipe.context = measure.context;
  recipe.recompute = recompute ? Recompute::per_block : Recompute::keep;
}

void add_model(CLI::App& command, Options& options) {
  command
      .add_option(
          "model,--model", options.model,
          "A model: a llama2.c .bin, a .gguf, a Hugging Face folder, or the folder of a run")
      ->required();
}

void add_scheme(CLI::App& command, Options& options, const std::string& by_default) {
  options.scheme = by_default;
  command
      .add_option("--scheme", options.scheme,
                  "How the linear layers are quantized; see lrqat-lab schemes")
      ->capture_default_str();
}

void add_text(CLI::App& command, Options& options) {
  command.add_option("--tokens", options.text.tokens,
                     "A text as 16-bit little-endian tokens (.u16)");
  command.add_option("--data", options.text.data,
                     "A text file; lines <|endoftext|> separate its texts");
  command.add_option("--tokenizer", options.text.tokenizer,
                     "For text: a llama2.c .bin or a SentencePiece .model (default: the model's "
                     "own)");
}

void add_splits(CLI::App& command, Options& options) {
  command.add_option("--dev", options.text.dev,
                     "Text to choose by, .u16 or text (default: held out of the training text)");
  command.add_option("--test", options.text.test,
                     "Text to report on, .u16 or text (default: the last tenth of the training "
                     "text, held out)");
}

void add_measure(CLI::App& command, Options& options) {
  command
      .add_option("--context", options.measure.context,
                  "Tokens of a window (default: the model's context)")
      ->check(whole_number(1, 1u << 20));
  command
      .add_option("--windows", options.measure.windows,
                  "Measure on the first so many windows only (default: all)")
      ->check(whole_number(1, 1u << 30));
}

void add_adaptation(CLI::App& command, Options& options) {
  command.add_option("--rank", options.adaptation.rank, "Of adapters whose scheme names none")
      ->check(whole_number(1, 65536))
      ->capture_default_str();
  command.add_option("--alpha", options.adaptation.alpha, "An adapter counts alpha / rank times")
      ->check(positive_number())
      ->capture_default_str();
  command
      .add_option("--seed", options.adaptation.seed, "Of initial values and the order of windows")
      ->check(whole_number(0, UINT64_MAX / 2))
      ->capture_default_str();
}

void add_scale_format(CLI::App& command, Options& options) {
  options.adaptation.scale_type = ScaleType::fp16;
  command
      .add_option_function<std::string>(
          "--scale-format",
          [&options](const std::string& name) {
            options.adaptation.scale_type = name == "fp16" ? ScaleType::fp16 : ScaleType::float32;
          },
          "Scales are used as 16-bit floats, which files hold exactly (fp16, the default), or as "
          "they are trained (float)")
      ->check(CLI::IsMember({"fp16", "float"}));
}

void add_recipe(CLI::App& command, Options& options) {
  Recipe& recipe = options.recipe;
  command.add_option("--steps", recipe.steps, "Updates of the parameters")
      ->check(whole_number(1, 100'000'000))
      ->capture_default_str();
  command.add_option("--batch", recipe.batch, "Windows in one pass")
      ->check(whole_number(1, 65536))
      ->capture_default_str();
  command.add_option("--accumulate", recipe.accumulate, "Passes in one step")
      ->check(whole_number(1, 65536))
      ->capture_default_str();
  command
      .add_option("--lr", recipe.rate,
                  "Learning rate of adapters or weights (default by method and bits, below)")
      ->check(positive_number());
  command
      .add_option("--lr-scale", recipe.scale_rate,
                  "Learning rate of scales (default by method and bits, below)")
      ->check(positive_number());
  command.add_flag(
      "--recompute", options.recompute,
      "Keep only each block's input and compute the rest again: less memory, same bits");
}

void add_machine(CLI::App& command, Options& options) {
  command
      .add_option("--threads", options.threads, "Threads (default: all); the bits do not change")
      ->check(whole_number(1, 1024));
  command.add_flag("--json", options.json, "Print one JSON object");
}

}  // namespace lrqat::lab
