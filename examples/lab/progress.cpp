// SPDX-License-Identifier: MIT
// examples/lab/progress.cpp: a bar for terminals, lines for files.
#include "progress.hpp"

#include "joined.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

#include <sys/ioctl.h>
#include <unistd.h>

namespace lrqat::lab {

ProgressBar::ProgressBar() : terminal_(::isatty(STDERR_FILENO) != 0) {}

void ProgressBar::begin(std::string task) {
  finish();
  task_ = std::move(task);
  last_shown_ = terminal_ ? clock::time_point() : clock::now();
}

void ProgressBar::training(const StepReport& report) {
  char numbers[96];
  const bool thousands = report.tokens_per_second >= 100;
  std::snprintf(numbers, sizeof numbers, "loss %.4f  %.1f%s tokens/s  %s left", report.loss,
                report.tokens_per_second / (thousands ? 1000 : 1), thousands ? "k" : "",
                clock_text(report.seconds_left).c_str());
  show(report.step, report.steps, "step", numbers);
}

void ProgressBar::evaluation(std::size_t windows_done, std::size_t windows) {
  if (terminal_) show(windows_done, windows, "window", "evaluating");
}

void ProgressBar::part(std::size_t done, std::size_t all, const char* of_what) {
  show(done, all, of_what, of_what);
}

void ProgressBar::show(std::size_t done, std::size_t all, const char* unit,
                       const std::string& numbers) {
  const clock::time_point now = clock::now();
  const auto pause = terminal_ ? std::chrono::milliseconds(50) : std::chrono::seconds(10);
  if (done != all && now - last_shown_ < pause) return;
  last_shown_ = now;
  if (!terminal_) {
    std::fprintf(stderr, "%s: %s %zu of %zu%s%s\n", task_.c_str(), unit, done, all,
                 numbers == unit ? "" : ", ", numbers == unit ? "" : numbers.c_str());
    return;
  }
  constexpr std::size_t width = 16;
  const std::size_t filled = done * width / std::max<std::size_t>(all, 1);
  const std::string line =
      joined(task_, " [", std::string(filled, '#'), std::string(width - filled, '.'), "] ", done,
             '/', all, "  ", numbers);
  // A line that wraps could not be redrawn in place.
  struct winsize size {};
  const bool is_known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1;
  const std::size_t columns = is_known ? size.ws_col - 1u : 79;
  std::fprintf(stderr, "\r\x1b[K%s", line.substr(0, columns).c_str());
  std::fflush(stderr);
  bar_is_shown_ = true;
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
