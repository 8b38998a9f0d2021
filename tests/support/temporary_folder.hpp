// SPDX-License-Identifier: MIT
// tests/support/temporary_folder.hpp: a folder of a test's own, gone when the test ends.
#ifndef LRQAT_TESTS_SUPPORT_TEMPORARY_FOLDER_HPP
#define LRQAT_TESTS_SUPPORT_TEMPORARY_FOLDER_HPP

#include <lrqat/core/expects.hpp>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

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
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

}  // namespace lrqat::test

#endif  // LRQAT_TESTS_SUPPORT_TEMPORARY_FOLDER_HPP
