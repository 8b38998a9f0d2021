// SPDX-License-Identifier: MIT
// examples/lab/table_command.cpp: lrqat-lab table.
#include "commands.hpp"
#include "finished_runs.hpp"
#include "interruption.hpp"
#include "joined.hpp"
#include "methods_table.hpp"
#include "model_source.hpp"
#include "options.hpp"
#include "scheme_names.hpp"
#include "table.hpp"

#include <lrqat/core/expects.hpp>
#include <lrqat/io/atomic_file.hpp>

#include <algorithm>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace lrqat::lab {

namespace {

constexpr const char* table_explanation =
    R"(Rows: fp32; fp32-tuned, the control; then RTN, PEQA, LR-QAT (base in fixed point, bf16, packed)
and full QAT, for 4, 3 and 2 bits with a scale for each output and 4 and 3 bits with one for each
group. Columns: perplexity on the test text (mean +- standard deviation over seeds); bits of a
merged weight, a 16-bit scale for each group included; numbers trained; memory of the linear layers
at the peak of a training step (layers, gradients, optimizer moments, working memory); seconds of
one training. --activations: fp32, and RTN, PEQA and LR-QAT with 4-bit weights and quantized
activations, W4A8, W4A8-KV4 and W4A4. --methods: the methods of the field, one type each, with their
papers; "all", or names like gptq (all its widths) and gptq-w3; "deployed" says what is left of a
layer, and with --out there is a plot of perplexity against bits per weight, methods.svg and .png.
With --out, each finished model of these rows gets a line in runs.jsonl at once, and the same command,
or one with more rows or seeds, goes on from there.
Rows of schemes are trained by the recipe that lrqat-lab train --help states; so are methods, but
with rates, and some with steps, of their own.

Examples:
  lrqat-lab table --model stories260K.bin --tokens train.u16 --dev dev.u16 --test test.u16
  lrqat-lab table --model stories260K.bin --tokens train.u16 --test test.u16 --quick
  lrqat-lab table --model stories260K.bin --tokens train.u16 --test test.u16 --activations
  lrqat-lab table --model stories260K.bin --tokens train.u16 --test test.u16 --methods gptq awq lr-qat
  lrqat-lab table --model m.bin --tokens t.u16 --methods all --tune --seeds 3 --out table
  lrqat-lab table --model m.bin --tokens t.u16 --schemes fp32 w2-pc-rtn w2-pc-q2.6-r16 --seeds 3
)";

struct TableOptions : Options {
  std::vector<std::string> schemes, methods;
  std::size_t group = 32, seeds = 1;
  bool quick = false, activations = false, tune = false;
};

std::vector<Scheme> schemes_of(const TableOptions& options) {
  std::vector<Scheme> all;
  for (const std::string& name : options.schemes) all.push_back(parse_scheme(name));
  if (!all.empty()) return all;
  if (options.activations) {
    all = activation_schemes(options.adaptation.rank);
    all.insert(all.begin(), parse_scheme("fp32"));
    return all;
  }
  all = usual_schemes(options.group, options.adaptation.rank);
  if (options.quick)
    std::erase_if(all, [](const Scheme& scheme) {
      return scheme.sharing == Sharing::group || scheme.bits == 3 ||
             (scheme.method == Method::lr_qat && scheme.base != Base::fixed_point);
    });
  return all;
}

/// Prints a finished table and keeps it where --out says.
void report(const TableOptions& options, const std::string& name, const std::string& text,
            JsonObject json, const std::string& model) {
  json["model"] = model;
  json["steps"] = options.recipe.steps;
  json["seeds"] = options.seeds;
  const std::string object = json.dump(-1, ' ', false, JsonObject::error_handler_t::replace) + "\n";
  if (!options.out.empty()) {
    write_file(options.out / (name + ".md"), text);
    write_file(options.out / (name + ".json"), object);
  }
  std::cout << (options.json ? object : text);
}

void table(TableOptions& options, bool steps_were_given, Exit& exit) {
  options.apply();
  const std::vector<PaperMethod> methods = paper_methods();
  std::vector<MethodRow> method_rows = chosen_rows(methods, options.methods);
  if (options.quick && !steps_were_given) options.recipe.steps = 60;
  if (options.quick && options.measure.windows == 0) options.measure.windows = 100;
  TablePlan plan{.schemes = schemes_of(options),
                 .adaptation = options.adaptation,
                 .recipe = options.recipe,
                 .measure = options.measure,
                 .seeds = options.seeds};
  const ModelSource source = open_plain_model(options.model, "a table");
  const LlamaConfig& config = source.weights.config;
  const std::size_t context = training_window_length(config, options.recipe);
  if (!options.out.empty()) make_folder(options.out);
  ProgressBar progress;
  const Splits splits = TextReader(options.text, source.tokenizer, config.vocab).splits(context);
  if (!splits.note.empty()) progress.note(splits.note);

  if (options.methods.empty()) {
    const std::vector<TableRow> rows = make_table(source.weights, splits, plan, progress);
    report(options, "table", table_text(rows), table_json(rows), source.name());
    return;
  }
  const MethodsPlan methods_plan{.adaptation = plan.adaptation,
                                 .recipe = plan.recipe,
                                 .measure = plan.measure,
                                 .seeds = plan.seeds,
                                 .tunes_rates = options.tune};
  std::optional<FinishedRuns> finished;
  if (!options.out.empty())
    finished.emplace(options.out / "runs.jsonl",
                     methods_experiment(source.weights, splits, methods_plan));
  std::optional<std::vector<MethodRow>> made;
  {
    const Interruption interruption;
    made = make_methods_table(source.weights, splits, methods_plan, std::move(method_rows),
                              finished ? &*finished : nullptr, progress, &interruption.flag());
  }
  if (!made) {
    exit = Exit::interrupted;
    progress.note(stopped_note(finished));
    return;
  }
  const std::vector<MethodRow>& rows = *made;
  report(options, "methods", methods_text(rows), methods_json(rows), source.name());
  if (options.out.empty()) return;
  const LinePlot plot = methods_plot(rows, joined("Perplexity and size: ", source.name()));
  for (const char* name : {"methods.svg", "methods.png"}) draw(plot, options.out / name);
}

}  // namespace

void add_table_command(CLI::App& program, Exit& exit) {
  CLI::App* const command = program.add_subcommand(
      "table", "What each scheme costs and recovers, side by side, as a Markdown table");
  const auto options = std::make_shared<TableOptions>();
  add_model(*command, *options);
  add_text(*command, *options);
  add_splits(*command, *options);
  add_measure(*command, *options);
  CLI::Option* const schemes =
      command->add_option("--schemes", options->schemes, "These rows in place of the usual ones");
  command->add_option("--group", options->group, "Inputs that share a scale in the rows per group")
      ->check(whole_number(1, 65536))
      ->capture_default_str();
  command->add_option("--seeds", options->seeds, "Trainings of each row, with neighbouring seeds")
      ->check(whole_number(1, 1000))
      ->capture_default_str();
  CLI::Option* const activations =
      command->add_flag("--activations", options->activations,
                        "Rows with quantized activations and KV cache in place of the usual ones");
  CLI::Option* const methods = command->add_option(
      "--methods", options->methods, "Methods of the field in place of the usual rows");
  methods->excludes(schemes)->excludes(activations);
  command
      ->add_flag(
          "--tune", options->tune,
          "Choose learning rates by the development text: times 1/3, 1, 3, on where an end is best")
      ->needs(methods);
  command->add_flag("--quick", options->quick,
                    "4 and 2 bits only, 60 steps, 100 windows of each text");
  add_adaptation(*command, *options);
  add_recipe(*command, *options);
  command->add_option(
      "--out", options->out,
      "Folder that gets table.md and .json, or methods.md, .json, .svg, .png and runs.jsonl");
  add_machine(*command, *options);
  command->footer(table_explanation);
  command->callback([=, &exit] { table(*options, command->count("--steps") != 0, exit); });
}

}  // namespace lrqat::lab
