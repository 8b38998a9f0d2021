// SPDX-License-Identifier: MIT
// examples/lab/export_command.cpp: lrqat-lab export.
#include "commands.hpp"
#include "joined.hpp"
#include "model_source.hpp"
#include "options.hpp"
#include "scheme_names.hpp"

#include <lrqat/core/expects.hpp>
#include <lrqat/io/gguf_llama.hpp>
#include <lrqat/io/json_line.hpp>  // JsonObject
#include <lrqat/io/packed_hugging_face.hpp>

#include <cstdio>
#include <iostream>
#include <memory>

namespace lrqat::lab {

namespace {

constexpr const char* export_explanation =
    R"(What is trained is what is written: weights in the file equal those of the merged model bit for
bit, or the export is refused with what to train instead.

gguf         one file as llama.cpp reads it, tokenizer included. Layers on groups of 32 with 16-bit
             scales: w4 as Q4_0, u4 as Q4_1, w8 as Q8_0; all other numbers F32, or with --dtype f16
             rounded to F16.
safetensors  a Hugging Face folder. Without --dtype the codes of any scheme, packed, with their
             scales; with --dtype f32, bf16 or f16 an ordinary model, dequantized. bf16 and f16 round
             its weights, f32 does not.

eval, generate and train read all of these.

Examples:
  lrqat-lab export runs/w4 --format gguf
  lrqat-lab export runs/w4 --format safetensors --dtype f32 --to my-folder
  lrqat-lab export stories260K.bin --scheme w3-pc-rtn --format safetensors --to packed
)";

struct ExportOptions : Options {
  std::string format, dtype;
  std::filesystem::path to;
};

/// Where the export goes when nobody says.
std::filesystem::path usual_target(const ExportOptions& options, const ModelSource& source) {
  expects(source.run.has_value(), "export of a model that is no run needs a place: --to");
  const std::filesystem::path folder = source.run_folder->path();
  if (options.format == "gguf") return folder / "model.gguf";
  return folder / (options.dtype.empty() ? "packed" : "model-" + options.dtype);
}

/// The tokenizer beside the exported model, so that its folder is complete.
void copy_tokenizer(const std::filesystem::path& from, std::size_t vocab,
                    const std::filesystem::path& folder) {
  if (from.extension() == ".model") {
    write_file(folder / "tokenizer.model", MappedFile(from).bytes());
    return;
  }
  const Vocabulary vocabulary = read_tokenizer(from, vocab)->vocabulary();
  write_llama2c_tokenizer(folder / "tokenizer.bin", llama2c_tokenizer(vocabulary, from.string()));
}

std::uintmax_t bytes_of(const std::filesystem::path& target) {
  const bool is_folder = std::filesystem::is_directory(target);
  return std::filesystem::file_size(is_folder ? target / "model.safetensors" : target);
}

void export_model(ExportOptions& options, bool scheme_was_given) {
  options.apply();
  const bool is_gguf = options.format == "gguf";
  expects(!is_gguf || options.dtype != "bf16", "--dtype bf16: a GGUF file is written with f32 or ",
          "f16");
  options.adaptation.scheme = parse_scheme(options.scheme);
  const ModelSource source = open_model(options.model);
  expects(!source.run || !scheme_was_given, options.model.string(),
          ": is the folder of a run, which has a scheme of its own; leave --scheme out");
  const std::filesystem::path target =
      options.to.empty() ? usual_target(options, source) : options.to;
  const std::filesystem::path tokenizer =
      options.text.tokenizer.empty() ? source.tokenizer : options.text.tokenizer;
  expects(!is_gguf || !tokenizer.empty(),
          "a GGUF file carries its tokenizer along: name one with --tokenizer");
  const Adaptation& adaptation = source.run ? source.run->adaptation : options.adaptation;
  expects(!adaptation.scheme.quantizes_activations(), "scheme ", name_of(adaptation.scheme),
          ": no file says how activations are quantized, so that a reader would compute something ",
          "else; train a scheme of weights alone, such as w4-g32-q4.4-r8");
  Model model = make_model(source, adaptation);
  if (adaptation.scheme.trains() && !adaptation.scheme.is_float()) model = merge(model);

  const LlamaToStore stored = LlamaToStore::of(model);
  const std::size_t vocab = model.config().vocab;
  if (is_gguf) {
    write_gguf_llama(target, stored, read_tokenizer(tokenizer, vocab)->vocabulary(),
                     options.dtype == "f16" ? GgufFloats::f16 : GgufFloats::f32);
  } else {
    if (options.dtype.empty())
      write_packed_hugging_face(target, stored);
    else
      write_hugging_face(target, stored,
                         options.dtype == "f32"    ? HuggingFaceFloats::f32
                         : options.dtype == "bf16" ? HuggingFaceFloats::bf16
                                                   : HuggingFaceFloats::f16);
    if (!tokenizer.empty()) copy_tokenizer(tokenizer, vocab, target);
  }

  const bool rounds = options.dtype == "bf16" || options.dtype == "f16";
  const std::uintmax_t bytes = bytes_of(target);
  if (options.json) {
    const JsonObject object{{"file", target.string()},
                            {"format", options.format},
                            {"scheme", scheme_name(source, adaptation.scheme)},
                            {"bytes", bytes},
                            {"exact", !rounds}};
    std::cout << object.dump(-1, ' ', false, JsonObject::error_handler_t::replace) << '\n';
    return;
  }
  std::printf("%s: %s, %.2f MB, %s\n", target.string().c_str(),
              scheme_name(source, adaptation.scheme).c_str(), static_cast<double>(bytes) / 1e6,
              !rounds   ? "every weight bit for bit that of the merged model"
              : is_gguf ? "codes and scales exact, other weights but norms rounded to f16"
                        : joined("every weight rounded to ", options.dtype).c_str());
}

}  // namespace

void add_export_command(CLI::App& program, Exit&) {
  CLI::App* const command = program.add_subcommand(
      "export", "A finished run, or a model under a scheme, as a GGUF file or safetensors");
  const auto options = std::make_shared<ExportOptions>();
  add_model(*command, *options);
  command->add_option("--format", options->format, "gguf or safetensors")
      ->required()
      ->check(CLI::IsMember({"gguf", "safetensors"}));
  command->add_option("--dtype", options->dtype, "f32, bf16 or f16; see below")
      ->check(CLI::IsMember({"f32", "bf16", "f16"}));
  command->add_option(
      "--to", options->to,
      "File or folder to write (default: model.gguf, packed or model-<dtype> in the "
      "run's folder)");
  command->add_option("--tokenizer", options->text.tokenizer,
                      "A llama2.c .bin, a SentencePiece .model or a .gguf (default: the model's "
                      "own)");
  add_scheme(*command, *options, "fp32");
  add_scale_format(*command, *options);
  add_adaptation(*command, *options);
  add_machine(*command, *options);
  command->footer(export_explanation);
  command->callback([=] { export_model(*options, command->count("--scheme") != 0); });
}

}  // namespace lrqat::lab
