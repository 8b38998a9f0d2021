// SPDX-License-Identifier: MIT
// tests/support/data.hpp: real checkpoints and golden cases that a test may use when they exist.
#ifndef LRQAT_TESTS_SUPPORT_DATA_HPP
#define LRQAT_TESTS_SUPPORT_DATA_HPP

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <optional>
#include <string>

namespace lrqat::test {

/// CTest reports a test that prints this line as skipped, not as passed.
inline void report_skipped(const std::string& why) {
  std::cout << "LRQAT_TEST_SKIPPED: " << why << std::endl;
}

inline std::optional<std::filesystem::path> folder_from(const char* variable, const char* fallback) {
  const char* chosen = std::getenv(variable);
  const std::filesystem::path folder =
      chosen ? std::filesystem::path(chosen) : std::filesystem::path(LRQAT_SOURCE_DIR) / fallback;
  if (std::filesystem::is_directory(folder)) return folder;
  report_skipped(std::string(variable) + ": no folder " + folder.string());
  return std::nullopt;
}

/// Real checkpoints, tokenizers and text: LRQAT_DATA, by default beside the project.
inline std::optional<std::filesystem::path> data_folder() {
  return folder_from("LRQAT_DATA", "../shared/data");
}

/// Golden cases of the linear layer: LRQAT_GOLDEN, by default beside the project.
inline std::optional<std::filesystem::path> golden_folder() {
  return folder_from("LRQAT_GOLDEN", "../shared/golden/lr_qat");
}

}  // namespace lrqat::test

#endif  // LRQAT_TESTS_SUPPORT_DATA_HPP
