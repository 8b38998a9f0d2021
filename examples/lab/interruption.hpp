// SPDX-License-Identifier: MIT
// examples/lab/interruption.hpp: Ctrl-C as a request to stop at the next good moment.
#ifndef LRQAT_LAB_INTERRUPTION_HPP
#define LRQAT_LAB_INTERRUPTION_HPP

#include <atomic>
#include <csignal>

namespace lrqat::lab {

namespace detail {
inline std::atomic<bool> stop_was_asked{false};
static_assert(std::atomic<bool>::is_always_lock_free);  // a signal handler may write it
}  // namespace detail

/// While it lives, SIGINT and SIGTERM set a flag; a second one ends the program as usual.
class Interruption {
 public:
  Interruption() {
    detail::stop_was_asked = false;
    struct sigaction action {};
    action.sa_handler = [](int) { detail::stop_was_asked = true; };
    action.sa_flags = static_cast<int>(SA_RESETHAND) | SA_RESTART;
    ::sigaction(SIGINT, &action, &old_interrupt_);
    ::sigaction(SIGTERM, &action, &old_terminate_);
  }
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;
  ~Interruption() {
    ::sigaction(SIGINT, &old_interrupt_, nullptr);
    ::sigaction(SIGTERM, &old_terminate_, nullptr);
  }

  const std::atomic<bool>& flag() const { return detail::stop_was_asked; }

 private:
  struct sigaction old_interrupt_ {
  }, old_terminate_{};
};

}  // namespace lrqat::lab

#endif  // LRQAT_LAB_INTERRUPTION_HPP
