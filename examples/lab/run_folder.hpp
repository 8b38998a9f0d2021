// SPDX-License-Identifier: MIT
// examples/lab/run_folder.hpp: what `train --out` leaves: run.json, checkpoint.safetensors,
// log.jsonl.
#ifndef LRQAT_LAB_RUN_FOLDER_HPP
#define LRQAT_LAB_RUN_FOLDER_HPP

#include "model.hpp"
#include "recipe.hpp"

#include <lrqat/io/json_line.hpp>  // JsonObject

#include <filesystem>
#include <string>

namespace lrqat::lab {

/// A run as run.json describes it.
struct Run {
  std::filesystem::path model{};  // absolute
  std::filesystem::path tokenizer{};  // absolute; empty where none was named
  Adaptation adaptation{};
  Recipe recipe{};
  std::string fingerprint{};  // of its checkpoint
  std::string state{};        // "running", "stopped" or "finished"
  JsonObject result{};        // of a finished run: what `train --json` prints
};

class RunFolder {
 public:
  explicit RunFolder(std::filesystem::path folder) : folder_(std::move(folder)) {}

  std::filesystem::path description() const { return folder_ / "run.json"; }
  std::filesystem::path checkpoint() const { return folder_ / "checkpoint.safetensors"; }
  std::filesystem::path log() const { return folder_ / "log.jsonl"; }
  const std::filesystem::path& path() const { return folder_; }

  bool holds_a_run() const { return std::filesystem::exists(description()); }
  /// @throws Error that names the file and the key that is wrong
  Run read() const;
  /// Makes the folder where it is missing and replaces run.json.
  void write(const Run& run) const;

 private:
  std::filesystem::path folder_;
};

/// A trained model back from its folder. @throws Error where the files do not belong together
Model restore(const RunFolder& folder, const Run& run, const LlamaWeights& weights);

}  // namespace lrqat::lab

#endif  // LRQAT_LAB_RUN_FOLDER_HPP
