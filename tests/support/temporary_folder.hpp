// SPDX-License-Identifier: MIT
// tests/support/temporary_folder.hpp: a folder of a test's own, gone when the test ends.
#ifndef LRQAT_TESTS_SUPPORT_TEMPORARY_FOLDER_HPP
#define LRQAT_TESTS_SUPPORT_TEMPORARY_FOLDER_HPP

#include <lrqat/core/expects.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace lrqat::test {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "lrqat-test-XXXXXX").string();
    expects(::mkdtemp(name.data()) != nullptr, "cannot make a folder like ", name);
    path_ = name;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(std::string_view name) const { return path_ / name; }

  /// The names of everything in the folder, in order.
  std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(path_))
      found.push_back(entry.path().filename().string());
    std::sort(found.begin(), found.end());
    return found;
  }

 private:
  std::filesystem::path path_;
};

}  // namespace lrqat::test

#endif  // LRQAT_TESTS_SUPPORT_TEMPORARY_FOLDER_HPP
