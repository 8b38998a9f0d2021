// SPDX-License-Identifier: MIT
// examples/lab/progress.cpp: a bar for terminals, lines for files.
#include "progress.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

#include <unistd.h>

namespace lrqat::lab {

ProgressBar::ProgressBar() : terminal_(::isatty(STDERR_FILENO) != 0) {}

void ProgressBar::begin(std::string task) {
  finish();
  task_ = std::move(task);
  tenth_ = 0;
}

void ProgressBar::training(const StepReport& report) {
  char numbers[96];
  std::snprintf(numbers, sizeof numbers, "loss %.4f  %.1fk tokens/s  %s left", report.loss,
                report.tokens_per_second / 1000, clock_text(report.seconds_left).c_str());
  show(report.step, report.steps, numbers);
}

void ProgressBar::evaluation(std::size_t windows_done, std::size_t windows) {
  if (terminal_) show(windows_done, windows, "evaluating");
}

void ProgressBar::show(std::size_t done, std::size_t all, const std::string& numbers) {
  if (terminal_) {
    const clock::time_point now = clock::now();
    if (done != all && now - last_shown_ < std::chrono::milliseconds(50)) return;
    last_shown_ = now;
    constexpr std::size_t width = 24;
    const std::size_t filled = done * width / std::max<std::size_t>(all, 1);
    const std::string bar = std::string(filled, '#') + std::string(width - filled, '.');
    std::fprintf(stderr, "\r\x1b[K%s [%s] %zu/%zu  %s", task_.c_str(), bar.c_str(), done, all,
                 numbers.c_str());
    std::fflush(stderr);
    bar_is_shown_ = true;
  } else {
    const std::size_t tenth = done * 10 / std::max<std::size_t>(all, 1);
    if (done != 1 && tenth == tenth_) return;
    tenth_ = tenth;
    std::fprintf(stderr, "%s: step %zu of %zu, %s\n", task_.c_str(), done, all, numbers.c_str());
  }
}

void ProgressBar::finish() {
  if (bar_is_shown_) std::fputs("\r\x1b[K", stderr);
  bar_is_shown_ = false;
}

void ProgressBar::note(const std::string& line) {
  finish();
  std::fprintf(stderr, "%s\n", line.c_str());
}

std::string clock_text(double seconds) {
  const auto whole = static_cast<long long>(std::min(std::max(seconds, 0.0), 1e9) + 0.5);
  char text[40];
  if (whole >= 3600)
    std::snprintf(text, sizeof text, "%lld:%02lld:%02lld", whole / 3600, whole / 60 % 60,
                  whole % 60);
  else
    std::snprintf(text, sizeof text, "%lld:%02lld", whole / 60, whole % 60);
  return text;
}

}  // namespace lrqat::lab
