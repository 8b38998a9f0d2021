// SPDX-License-Identifier: MIT
// examples/lab/model_source.hpp: the model that a path names, whatever its format.
#ifndef LRQAT_LAB_MODEL_SOURCE_HPP
#define LRQAT_LAB_MODEL_SOURCE_HPP

#include "run_folder.hpp"

#include <lrqat/linear/merged_weight.hpp>
#include <lrqat/nn/llama_weights.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace lrqat::lab {

struct ModelSource {
  std::filesystem::path path;    // absolute, of the model itself
  std::filesystem::path tokenizer;  // the model's own, or the run's; empty where there is none
  LlamaWeights weights;
  std::vector<std::optional<MergedWeight>> layers{};  // codes that the file stores; empty if none
  std::optional<RunFolder> run_folder{};  // when the path named a run
  std::optional<Run> run{};

  bool has_codes() const { return !layers.empty(); }
  std::string name() const { return path.filename().string(); }
};

/// A llama2.c file, a GGUF file, a folder with config.json (codes packed or not), or a folder with
/// run.json.
/// @throws Error that names the path and what is wrong with it
ModelSource open_model(const std::filesystem::path& path);

/// The same, but a run is an error: what `use` does starts from a model.
ModelSource open_plain_model(const std::filesystem::path& path, const std::string& use);

/// The model of a source: of a run as it was trained; as the file stores it where it has codes and
/// no other scheme is asked for; otherwise under the adaptation's scheme.
Model make_model(const ModelSource& source, const Adaptation& adaptation);

/// What that model's scheme is called, and the bits of a weight of its linear layers.
std::string scheme_name(const ModelSource& source, const Scheme& scheme);
double bits_per_weight(const ModelSource& source, const Scheme& scheme);

}  // namespace lrqat::lab

#endif  // LRQAT_LAB_MODEL_SOURCE_HPP
