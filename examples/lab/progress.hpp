// SPDX-License-Identifier: MIT
// examples/lab/progress.hpp: how far a command is, on standard error.
#ifndef LRQAT_LAB_PROGRESS_HPP
#define LRQAT_LAB_PROGRESS_HPP

#include <lrqat/train/step_report.hpp>

#include <chrono>
#include <cstddef>
#include <string>

namespace lrqat::lab {

/// A bar that is redrawn in place when standard error is a terminal. Otherwise plain lines: one
/// every ten seconds and one at the end of each task.
class ProgressBar {
 public:
  ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;
  ~ProgressBar() { finish(); }

  /// Names what follows, for example "w4-pc-q4.4-r8".
  void begin(std::string task);
  void training(const StepReport& report);
  void evaluation(std::size_t windows_done, std::size_t windows);
  /// Of a task that is neither: "blocks", "layers made".
  void part(std::size_t done, std::size_t all, const char* of_what);
  /// Takes the bar away.
  void finish();
  /// A line that stays.
  void note(const std::string& line);

 private:
  using clock = std::chrono::steady_clock;
  /// @param unit  what is counted, where a line says so
  void show(std::size_t done, std::size_t all, const char* unit, const std::string& numbers);

  bool terminal_;
  bool bar_is_shown_ = false;
  std::string task_;
  clock::time_point last_shown_{};
};

/// 75 -> "1:15"; hours where there are some.
std::string clock_text(double seconds);

}  // namespace lrqat::lab

#endif  // LRQAT_LAB_PROGRESS_HPP
