// SPDX-License-Identifier: MIT
// examples/lab/finished_runs.cpp: reading and writing the file.
#include "finished_runs.hpp"

#include "joined.hpp"

#include <cstdint>
#include <fstream>
#include <system_error>
#include <utility>

namespace lrqat::lab {

FinishedRuns::FinishedRuns(std::filesystem::path path, std::string experiment)
    : path_(std::move(path)), experiment_(std::move(experiment)) {
  std::error_code error;
  if (!std::filesystem::exists(path_, error)) return;
  std::ifstream in(path_, std::ios::binary);
  expects(in.is_open(), path_.string(), ": cannot be read");
  std::uintmax_t whole = 0;
  std::string line;
  while (std::getline(in, line) && !in.eof()) {
    whole += line.size() + 1;
    const std::size_t i = runs_.size();
    runs_.push_back(JsonObject::parse(line, nullptr, false));
    expects(runs_[i].is_object(), place(i), ": is not a JSON object");
    const std::string theirs = value<std::string>(i, "experiment");
    expects(theirs == experiment_, place(i), ": is of another experiment: '", theirs,
            "', this one is '", experiment_, "'; name another folder");
  }
  if (std::filesystem::file_size(path_, error) == whole) return;
  std::filesystem::resize_file(path_, whole, error);
  expects(!error, path_.string(), ": its torn last line cannot be taken away: ", error.message());
}

void FinishedRuns::append(const JsonObject& run) {
  JsonObject line = run;
  line["experiment"] = experiment_;
  JsonLineLog(path_).append(line);
  runs_.push_back(std::move(line));
}

std::string FinishedRuns::place(std::size_t i) const {
  return joined(path_.string(), ", line ", i + 1);
}

std::string stopped_note(const std::optional<FinishedRuns>& finished) {
  if (!finished) return "stopped; nothing is kept, because --out was not given";
  return joined("stopped; ", finished->runs().size(), " runs are in ", finished->path().string(),
                ", the same command goes on from there");
}

}  // namespace lrqat::lab
