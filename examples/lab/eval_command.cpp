// SPDX-License-Identifier: MIT
// examples/lab/eval_command.cpp: lrqat-lab eval.
#include "commands.hpp"
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

constexpr const char* example =
    R"(A scheme that needs training (peqa, lsq, LR-QAT) is measured as it starts, before any step.
The perplexity is e^nll over windows that do not overlap; the last, partial one is left out.

Examples:
  lrqat-lab eval --model stories260K.bin --tokens test.u16
  lrqat-lab eval --model stories260K.bin --tokens test.u16 --scheme w4-g32-rtn
  lrqat-lab eval --model hf-folder --data test.txt --json
  lrqat-lab eval runs/my-run --tokens test.u16
  lrqat-lab eval --model my-model.gguf --data test.txt
)";

void eval(Options& options, bool scheme_was_given) {
  options.apply();
  const Scheme scheme = parse_scheme(options.scheme);
  const ModelSource source = open_model(options.model);
  expects(!source.run || !scheme_was_given, options.model.string(),
          ": is the folder of a run, which has a scheme of its own; leave --scheme out");
  window_length(source.weights.config, options.measure.context);  // before the text is read
  const Stream text =
      TextReader(options.text, source.tokenizer, source.weights.config.vocab).whole();
  options.adaptation.scheme = source.run ? source.run->adaptation.scheme : scheme;
  Model model = make_model(source, options.adaptation);
  ProgressBar progress;
  const std::string scheme_text = scheme_name(source, options.adaptation.scheme);
  progress.begin(scheme_text);
  const PerplexityResult result = measure(model, text, options.measure, progress);
  progress.finish();

  // The last partial window is not measured: its share of the bytes is taken to be like the rest.
  std::optional<double> bits_per_byte;
  if (text.bytes)
    bits_per_byte =
        result.nll / std::log(2.0) * static_cast<double>(text.tokens.size()) / *text.bytes;
  if (options.json) {
    JsonObject object{{"nll", result.nll},
                      {"ppl", result.perplexity},
                      {"targets", result.targets},
                      {"windows", result.windows}};
    if (bits_per_byte) object["bits_per_byte"] = *bits_per_byte;
    object["scheme"] = scheme_text;
    object["bits_per_weight"] = bits_per_weight(source, options.adaptation.scheme);
    std::cout << object.dump() << '\n';
    return;
  }
  std::printf("%s as %s on %s\n", source.name().c_str(), scheme_text.c_str(), text.origin.c_str());
  std::printf("perplexity %.4f   nll %.5f   %zu targets in %zu windows", result.perplexity,
              result.nll, result.targets, result.windows);
  if (bits_per_byte) std::printf("   %.4f bits per byte", *bits_per_byte);
  std::printf("\n");
}

}  // namespace

void add_eval_command(CLI::App& program, Exit&) {
  CLI::App* const command =
      program.add_subcommand("eval", "The perplexity of a model, a scheme or a finished run");
  const auto options = std::make_shared<Options>();
  add_model(*command, *options);
  add_scheme(*command, *options, "fp32");
  add_text(*command, *options);
  add_measure(*command, *options);
  add_adaptation(*command, *options);
  add_machine(*command, *options);
  command->footer(example);
  command->callback([=] { eval(*options, command->count("--scheme") != 0); });
}

}  // namespace lrqat::lab
