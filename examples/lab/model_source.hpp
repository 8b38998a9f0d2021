// SPDX-License-Identifier: MIT
// examples/lab/model_source.hpp: the model that a path names, whatever its format.
#ifndef LRQAT_LAB_MODEL_SOURCE_HPP
#define LRQAT_LAB_MODEL_SOURCE_HPP

#include "run_folder.hpp"

#include <lrqat/nn/llama_weights.hpp>

#include <filesystem>
#include <optional>
#include <string>

namespace lrqat::lab {

struct ModelSource {
  std::filesystem::path path;    // absolute, of the model itself
  std::filesystem::path folder;  // of a Hugging Face model; otherwise empty
  LlamaWeights weights;
  std::optional<RunFolder> run_folder{};  // when the path named a run
  std::optional<Run> run{};

  std::string name() const { return path.filename().string(); }
};

/// A llama2.c file, a folder with config.json, or a folder with run.json.
/// @throws Error that names the path and what is wrong with it
ModelSource open_model(const std::filesystem::path& path);

/// The same, but a run is an error: what `use` does starts from a model.
ModelSource open_plain_model(const std::filesystem::path& path, const std::string& use);

}  // namespace lrqat::lab

#endif  // LRQAT_LAB_MODEL_SOURCE_HPP
