// SPDX-License-Identifier: MIT
// benchmarks/registration.hpp: functions that main() calls before it runs what they registered.
#ifndef LRQAT_BENCHMARKS_REGISTRATION_HPP
#define LRQAT_BENCHMARKS_REGISTRATION_HPP

#include <vector>

namespace lrqat::benchmarks {

/// For rows that depend on what other files of the program have set up before main().
inline std::vector<void (*)()>& registrations() {
  static std::vector<void (*)()> functions;
  return functions;
}

}  // namespace lrqat::benchmarks

#endif  // LRQAT_BENCHMARKS_REGISTRATION_HPP
