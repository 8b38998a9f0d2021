// SPDX-License-Identifier: MIT
// examples/lab/finished_runs.hpp: the runs of a long experiment that are behind it, kept in a file.
#ifndef LRQAT_LAB_FINISHED_RUNS_HPP
#define LRQAT_LAB_FINISHED_RUNS_HPP

#include <lrqat/core/expects.hpp>
#include <lrqat/io/json_line.hpp>

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace lrqat::lab {

/// One JSON object a line, each with the experiment it belongs to: a text of everything that all
/// runs of the file share. A last line without an end, of a killed process or a full disk, is taken
/// away: that run is done again.
class FinishedRuns {
 public:
  /// Reads what is there. @throws Error naming the line that is no object, or another experiment's
  FinishedRuns(std::filesystem::path path, std::string experiment);

  const std::filesystem::path& path() const { return path_; }
  const std::vector<JsonObject>& runs() const { return runs_; }
  /// Hands the line to the system before it returns.
  void append(const JsonObject& run);

  /// runs()[i][key]. @throws Error naming file and line where it is missing or of the wrong kind
  template <class T>
  T value(std::size_t i, const char* key) const {
    const JsonObject& run = runs_[i];
    bool fits = run.contains(key);
    if constexpr (std::is_same_v<T, std::string>)
      fits = fits && run[key].is_string();
    else if constexpr (std::is_integral_v<T>)
      fits = fits && run[key].is_number_unsigned();
    else
      fits = fits && run[key].is_number();
    expects(fits, place(i), ": '", key, "' is missing or of the wrong kind");
    return run[key].template get<T>();
  }

 private:
  std::string place(std::size_t i) const;

  std::filesystem::path path_;
  std::string experiment_;
  std::vector<JsonObject> runs_;
};

/// For a person whose experiment was stopped; empty where no folder keeps it.
std::string stopped_note(const std::optional<FinishedRuns>& finished);

}  // namespace lrqat::lab

#endif  // LRQAT_LAB_FINISHED_RUNS_HPP
