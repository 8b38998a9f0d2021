// SPDX-License-Identifier: MIT
// train/step_log.hpp: one JSON object a line and step, continued without gap or repetition.
#ifndef LRQAT_TRAIN_STEP_LOG_HPP
#define LRQAT_TRAIN_STEP_LOG_HPP

#include <lrqat/core/expects.hpp>
#include <lrqat/io/detail/bytes.hpp>
#include <lrqat/io/json_line.hpp>
#include <lrqat/train/step_report.hpp>

#include <charconv>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace lrqat {

/// What the log says about a step.
inline JsonObject json_of(const StepReport& report) {
  return {{"step", report.step},
          {"loss", report.loss},
          {"rate_factor", report.rate_factor},
          {"grad_norm", report.grad_norm},
          {"tokens_per_second", report.tokens_per_second},
          {"seconds", report.seconds}};
}

/// An open log file. Every line is handed to the operating system before append() returns, hence
/// before the checkpoint of its step is written: after a killed process the log holds at least
/// the steps of the last checkpoint, and opening it for that checkpoint drops what is beyond.
class StepLog {
 public:
  /// Opens `path`, new or existing, keeps the lines of steps 1 to `step` and drops the rest, a
  /// half-written last line included. A file that does not hold such lines is left as it is and
  /// an error names the line.
  StepLog(std::filesystem::path path, std::uint64_t step)
      : log_(shortened(std::move(path), step)) {}

  void append(const StepReport& report) { log_.append(json_of(report)); }

 private:
  static constexpr std::string_view start = "{\"step\":";

  static std::filesystem::path shortened(std::filesystem::path path, std::uint64_t step) {
    std::error_code error;
    if (!std::filesystem::is_regular_file(path, error)) return path;
    std::filesystem::resize_file(path, bytes_to_keep(path, step), error);
    expects(!error, "the log ", path.string(), " cannot be shortened to step ", step, ": ",
            error.message());
    return path;
  }

  static std::uintmax_t bytes_to_keep(const std::filesystem::path& path, std::uint64_t last) {
    std::ifstream in(path, std::ios::binary);
    expects(in.is_open(), "the log ", path.string(), " cannot be read");
    std::uintmax_t bytes = 0;
    std::string line;
    for (std::uint64_t number = 1; std::getline(in, line); ++number) {
      const bool torn = in.eof();  // no newline: the writer was killed in this line
      const std::uint64_t step = step_of(line);
      expects(torn ? line.starts_with(start.substr(0, line.size())) : step != 0, path.string(),
              ", line ", number, " is not the line of a step: '", detail::printable(line, 60),
              "'. Move the file away or name another log");
      if (torn || step > last) break;
      bytes += line.size() + 1;
    }
    return bytes;
  }

  /// 0 where the line is not one of a step.
  static std::uint64_t step_of(std::string_view line) {
    std::uint64_t step = 0;
    if (!line.starts_with(start) || !line.ends_with('}')) return 0;
    std::from_chars(line.data() + start.size(), line.data() + line.size(), step);
    return step;
  }

  JsonLineLog log_;
};

}  // namespace lrqat

#endif  // LRQAT_TRAIN_STEP_LOG_HPP
