// SPDX-License-Identifier: MIT
// examples/lab/generate_command.cpp: lrqat-lab generate.
#include "commands.hpp"
#include "generation.hpp"
#include "integer_layer.hpp"
#include "model_source.hpp"
#include "options.hpp"
#include "scheme_names.hpp"

#include <lrqat/core/expects.hpp>
#include <lrqat/io/json_line.hpp>  // JsonObject

#include <cmath>
#include <cstdio>
#include <iostream>
#include <memory>

namespace lrqat::lab {

namespace {

constexpr const char* generate_explanation =
    R"(Without --temperature the likeliest token is taken each time (greedy). A run is merged first:
what generates is codes and scales. A scheme with bits for keys and values (w4a8, w4a8kv4, w4kv4)
keeps them in these bits; where inputs are quantized with integer zero points (w4a8, w4a4), layers of
2, 3, 4 and 8 bits multiply codes by codes in integers.

Examples:
  lrqat-lab generate --model stories260K.bin --tokenizer tok512.bin --prompt "Once upon a time"
  lrqat-lab generate runs/w4 --tokenizer tok512.bin --temperature 0.8 --top-p 0.9 --seed 7
  lrqat-lab generate hf-folder --scheme w4-g32-rtn --tokens-out 100
  lrqat-lab generate hf-folder --scheme w4a8kv4-g32-rtn --tokens-out 100
)";

struct GenerateOptions : Options {
  GenerationPlan plan{};
};

double per_second(std::size_t tokens, double seconds) {
  return static_cast<double>(tokens) / std::max(seconds, 1e-9);
}

void generate_text(GenerateOptions& options, bool scheme_was_given) {
  options.apply();
  options.plan.sampler.seed = options.adaptation.seed;
  const Scheme scheme = parse_scheme(options.scheme);
  const ModelSource source = open_model(options.model);
  expects(!source.run || !scheme_was_given, options.model.string(),
          ": is the folder of a run, which has a scheme of its own; leave --scheme out");
  TextReader texts(options.text, source.tokenizer, source.weights.config.vocab);
  const Tokenizer& tokenizer = texts.tokenizer();
  options.adaptation.scheme = source.run ? source.run->adaptation.scheme : scheme;
  Model model = make_model(source, options.adaptation);
  if (options.adaptation.scheme.trains() && !options.adaptation.scheme.is_float())
    model = merge(model);
  const bool integers = has_integer_products(options.adaptation.scheme);
  if (integers) model = in_integers(model);

  const auto show = [](const std::string& text) { std::cout << text << std::flush; };
  const Generation result = options.json ? generate(model, tokenizer, options.plan)
                                         : generate(model, tokenizer, options.plan, show);
  const double prefill = per_second(result.prompt_tokens, result.prefill_seconds);
  const double decode = per_second(result.tokens, result.decode_seconds);
  if (options.json) {
    const JsonObject object{{"text", result.text},
                            {"prompt_tokens", result.prompt_tokens},
                            {"tokens", result.tokens},
                            {"prefill_tokens_per_second", prefill},
                            {"decode_tokens_per_second", decode},
                            {"products", integers ? "integers" : "floats"},
                            {"cache_bits", model.options().activations.cache.bits == 0
                                               ? 32
                                               : model.options().activations.cache.bits},
                            {"cache_bytes", result.cache_bytes},
                            {"scheme", scheme_name(source, options.adaptation.scheme)}};
    std::cout << object.dump(-1, ' ', false, JsonObject::error_handler_t::replace) << '\n';
  } else {
    std::cout << std::endl;
  }
  std::fprintf(stderr,
               "prefill: %zu tokens, %.0f tokens/s; decode: %zu tokens, %.0f tokens/s; "
               "KV cache: %zu bytes for %zu tokens; products of %s\n",
               result.prompt_tokens, prefill, result.tokens, decode, result.cache_bytes,
               model.config().context, integers ? "integers" : "floats");
}

}  // namespace

void add_generate_command(CLI::App& program, Exit&) {
  CLI::App* const command =
      program.add_subcommand("generate", "Text from a model, a scheme or a finished run");
  const auto options = std::make_shared<GenerateOptions>();
  add_model(*command, *options);
  add_scheme(*command, *options, "fp32");
  command->add_option("--tokenizer", options->text.tokenizer,
                      "A llama2.c .bin or a SentencePiece .model (default: the model's own, in "
                      "its folder, its GGUF file or as its run was given)");
  command->add_option("--prompt", options->plan.prompt,
                      "How the text begins (default: not at all)");
  command
      ->add_option("--tokens-out", options->plan.tokens,
                   "At most so many tokens (default: until the context is full)")
      ->check(whole_number(1, 1u << 20));
  command
      ->add_option("--temperature", options->plan.sampler.temperature,
                   "0: the likeliest token; 1: as the model says; above: wilder")
      ->check(number_between(0, 100))
      ->capture_default_str();
  command
      ->add_option("--top-p", options->plan.sampler.top_p,
                   "Draw among the likeliest tokens that together have this probability")
      ->check(positive_number())
      ->check(number_between(0, 1))
      ->capture_default_str();
  add_adaptation(*command, *options);
  add_machine(*command, *options);
  command->footer(generate_explanation);
  command->callback([=] { generate_text(*options, command->count("--scheme") != 0); });
}

}  // namespace lrqat::lab
