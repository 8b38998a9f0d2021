// SPDX-License-Identifier: MIT
// examples/lab/model_source.cpp: which reader a path is for.
#include "model_source.hpp"

#include <lrqat/core/expects.hpp>
#include <lrqat/io/hugging_face.hpp>
#include <lrqat/io/llama2c.hpp>
#include <lrqat/nn/llama_frame.hpp>  // check_llama_weights

#include <system_error>

namespace lrqat::lab {

ModelSource open_model(const std::filesystem::path& path) {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  expects(fs::exists(status), path.string(), ": there is no such model");
  ModelSource source;
  source.path = fs::absolute(path).lexically_normal();
  if (!fs::is_directory(status)) {
    source.weights = read_llama2c(path);
  } else if (RunFolder(path).holds_a_run()) {
    RunFolder folder(path);
    Run run = folder.read();
    expects(!RunFolder(run.model).holds_a_run(), path.string(), ": its model ", run.model.string(),
            " is a run itself");
    source = open_model(run.model);
    source.run_folder = folder;
    source.run = std::move(run);
    return source;
  } else {
    expects(fs::exists(path / "config.json"), path.string(),
            ": a folder with neither config.json (a Hugging Face model) nor run.json (a run)");
    source.weights = read_hugging_face(path);
    source.folder = path;
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

}  // namespace lrqat::lab
