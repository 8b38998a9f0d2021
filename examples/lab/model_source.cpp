// SPDX-License-Identifier: MIT
// examples/lab/model_source.cpp: which reader a path is for.
#include "model_source.hpp"

#include "layer_factory.hpp"
#include "scheme_names.hpp"

#include <lrqat/core/expects.hpp>
#include <lrqat/io/gguf_llama.hpp>
#include <lrqat/io/hugging_face.hpp>
#include <lrqat/io/llama2c.hpp>
#include <lrqat/io/packed_hugging_face.hpp>
#include <lrqat/nn/llama_frame.hpp>  // check_llama_weights

#include <algorithm>
#include <system_error>
#include <utility>

namespace lrqat::lab {

namespace {

/// As the file stores it. Where nothing is quantized, no codes are kept.
void take(StoredLlama stored, ModelSource& source) {
  source.weights = std::move(stored.weights);
  const auto has_codes = [](const std::optional<MergedWeight>& layer) { return layer.has_value(); };
  if (std::ranges::any_of(stored.layers, has_codes)) source.layers = std::move(stored.layers);
}

void open_folder(const std::filesystem::path& path, ModelSource& source) {
  if (is_packed_hugging_face(path))
    take(read_packed_hugging_face(path), source);
  else
    source.weights = read_hugging_face(path);
  for (const char* name : {"tokenizer.bin", "tokenizer.model"})
    if (std::filesystem::exists(path / name)) source.tokenizer = path / name;
}

}  // namespace

ModelSource open_model(const std::filesystem::path& path) {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  expects(fs::exists(status), path.string(), ": there is no such model");
  ModelSource source;
  source.path = fs::absolute(path).lexically_normal();
  if (!fs::is_directory(status) && path.extension() == ".gguf") {
    take(read_gguf_llama(path), source);
    source.tokenizer = path;
  } else if (!fs::is_directory(status)) {
    source.weights = read_llama2c(path);
  } else if (RunFolder(path).holds_a_run()) {
    RunFolder folder(path);
    Run run = folder.read();
    expects(!RunFolder(run.model).holds_a_run(), path.string(), ": its model ", run.model.string(),
            " is a run itself");
    source = open_model(run.model);
    source.run_folder = folder;
    if (!run.tokenizer.empty()) source.tokenizer = run.tokenizer;
    source.run = std::move(run);
    return source;
  } else {
    expects(fs::exists(path / "config.json"), path.string(),
            ": a folder with neither config.json (a Hugging Face model) nor run.json (a run)");
    open_folder(path, source);
  }
  if (source.path.filename().empty()) source.path = source.path.parent_path();
  check_llama_weights(source.weights);
  return source;
}

ModelSource open_plain_model(const std::filesystem::path& path, const std::string& use) {
  ModelSource source = open_model(path);
  expects(!source.run, path.string(), ": is the folder of a run; ", use, " starts from a model");
  return source;
}

Model make_model(const ModelSource& source, const Adaptation& adaptation) {
  if (source.run) return restore(*source.run_folder, *source.run, source.weights);
  if (!source.has_codes() || adaptation.scheme != Scheme{})
    return make_model(source.weights, adaptation);
  std::size_t next = 0;
  return Model(source.weights, [&](MatrixView<const float> weight, const LinearName&) {
    const std::optional<MergedWeight>& codes = source.layers[next++];
    return codes ? make_layer(*codes) : make_layer(Scheme{}, weight, {});
  });
}

std::string scheme_name(const ModelSource& source, const Scheme& scheme) {
  return source.has_codes() && scheme == Scheme{} ? "stored" : name_of(scheme);
}

double bits_per_weight(const ModelSource& source, const Scheme& scheme) {
  const LlamaConfig& config = source.weights.config;
  if (!source.has_codes() || scheme != Scheme{}) return bits_per_weight(config, scheme);
  double bits = 0;
  std::size_t next = 0;
  for (std::size_t block = 0; block < config.layers; ++block)
    for (const LinearKind kind : linear_kinds) {
      const std::optional<MergedWeight>& codes = source.layers[next++];
      const auto weights = static_cast<double>(linear_shape(config, kind).size());
      const int width = codes ? codes->bits : 32;
      bits += weights * width;
      if (codes)
        bits +=
            static_cast<double>(codes->scales.size()) * (codes->has_zero_point ? 16 + width : 16);
    }
  return bits / static_cast<double>(linear_weights(config));
}

}  // namespace lrqat::lab
