// SPDX-License-Identifier: MIT
// train/step_log.hpp: one JSON object a line and step, continued without gap or repetition.
#ifndef LRQAT_TRAIN_STEP_LOG_HPP
#define LRQAT_TRAIN_STEP_LOG_HPP

#include <lrqat/core/expects.hpp>
#include <lrqat/train/step_report.hpp>

#include <charconv>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>

namespace lrqat {

/// The line of a step without its newline. The numbers read back as the same doubles.
inline std::string json_line(const StepReport& report) {
  char line[320];
  std::snprintf(line, sizeof line,
                "{\"step\":%llu,\"loss\":%.17g,\"rate_factor\":%.17g,\"grad_norm\":%.17g,"
                "\"tokens_per_second\":%.6g,\"seconds\":%.6g}",
                static_cast<unsigned long long>(report.step), report.loss, report.rate_factor,
                report.grad_norm, report.tokens_per_second, report.seconds);
  return line;
}

/// An open log file. Every line is handed to the operating system before append() returns, hence
/// before the checkpoint of its step is written: after a killed process the log holds at least
/// the steps of the last checkpoint, and opening it for that checkpoint drops what is beyond.
class StepLog {
 public:
  /// Opens `path`, new or existing, keeps the lines of steps 1 to `step` and drops the rest, a
  /// half-written last line included. A file that does not hold such lines is left as it is and
  /// an error names the line.
  StepLog(std::filesystem::path path, std::uint64_t step) : path_(std::move(path)) {
    if (std::filesystem::exists(path_)) std::filesystem::resize_file(path_, bytes_to_keep(step));
    file_.open(path_, std::ios::app | std::ios::binary);
    expects(file_.is_open(), "the log ", path_.string(), " cannot be opened for writing");
  }

  void append(const StepReport& report) {
    file_ << json_line(report) + '\n' << std::flush;
    expects(file_.good(), "the log ", path_.string(), " cannot be written at step ", report.step,
            " (is the disk full?)");
  }

 private:
  static constexpr std::string_view start = "{\"step\":";

  std::uintmax_t bytes_to_keep(std::uint64_t last) const {
    std::ifstream in(path_, std::ios::binary);
    expects(in.is_open(), "the log ", path_.string(), " cannot be read");
    std::uintmax_t bytes = 0;
    std::string line;
    for (std::uint64_t number = 1; std::getline(in, line); ++number) {
      const bool torn = in.eof();  // no newline: the writer was killed in this line
      const std::uint64_t step = step_of(line);
      expects(torn ? line.starts_with(start.substr(0, line.size())) : step != 0, path_.string(),
              ", line ", number, " is not the line of a step: '",
              std::string_view(line).substr(0, 60), "'. Move the file away or name another log");
      if (torn || step > last) break;
      bytes += line.size() + 1;
    }
    return bytes;
  }

  /// 0 where the line is not one of json_line.
  static std::uint64_t step_of(std::string_view line) {
    std::uint64_t step = 0;
    if (!line.starts_with(start) || !line.ends_with('}')) return 0;
    std::from_chars(line.data() + start.size(), line.data() + line.size(), step);
    return step;
  }

  std::filesystem::path path_;
  std::ofstream file_;
};

}  // namespace lrqat

#endif  // LRQAT_TRAIN_STEP_LOG_HPP
