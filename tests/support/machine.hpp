// SPDX-License-Identifier: MIT
// tests/support/machine.hpp: the instruction set and the thread count of a test, put back at its
// end.
#ifndef LRQAT_TESTS_SUPPORT_MACHINE_HPP
#define LRQAT_TESTS_SUPPORT_MACHINE_HPP

#include <lrqat/backend/parallel_for.hpp>
#include <lrqat/kernel/isa.hpp>

#include <string>
#include <vector>

namespace lrqat::test {

/// Restores both when it goes.
class MachineSettings {
 public:
  MachineSettings() = default;
  MachineSettings(const MachineSettings&) = delete;
  MachineSettings& operator=(const MachineSettings&) = delete;
  ~MachineSettings() {
    kernel::set_active_isa(isa_);
    set_thread_count(threads_);
  }

 private:
  kernel::Isa isa_ = kernel::active_isa();
  int threads_ = thread_count();
};

inline std::vector<kernel::Isa> isas_of_machine() {
  std::vector<kernel::Isa> isas;
  for (const kernel::Isa isa : kernel::all_isas)
    if (kernel::machine_has(isa)) isas.push_back(isa);
  return isas;
}

inline std::string isa_name(kernel::Isa isa) { return std::string(kernel::name(isa)); }

/// The given counts, or 1 alone in a program without OpenMP.
inline std::vector<int> thread_counts(std::vector<int> wanted) {
#if defined(_OPENMP)
  return wanted;
#else
  wanted = {1};
  return wanted;
#endif
}

}  // namespace lrqat::test

#endif  // LRQAT_TESTS_SUPPORT_MACHINE_HPP
