// SPDX-License-Identifier: MIT
// tests/io/plain_files.hpp: whole files to and from strings, and the errors of readers.
#ifndef LRQAT_TESTS_IO_PLAIN_FILES_HPP
#define LRQAT_TESTS_IO_PLAIN_FILES_HPP

#include <lrqat/core/expects.hpp>

#include <support/temporary_folder.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

namespace lrqat::test {

/// Removes an old file first: some file systems wait for the disk when one is emptied and refilled.
inline void write_plainly(const std::filesystem::path& path, std::string_view bytes) {
  std::filesystem::remove(path);
  std::ofstream(path, std::ios::binary).write(bytes.data(), std::streamsize(bytes.size()));
}

inline std::string read_plainly(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The message of the lrqat::Error that `action` throws; empty when it throws none.
template <class Action>
std::string error_of(const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

}  // namespace lrqat::test

#endif  // LRQAT_TESTS_IO_PLAIN_FILES_HPP
