// SPDX-License-Identifier: MIT
// tests/fuzz/answers.hpp: the files that a target reads, and the answers that count as good.
#ifndef LRQAT_TESTS_FUZZ_ANSWERS_HPP
#define LRQAT_TESTS_FUZZ_ANSWERS_HPP

#include <lrqat/core/expects.hpp>
#include <lrqat/io/detail/file_descriptor.hpp>

#include "support/temporary_folder.hpp"

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace lrqat::fuzz {

/// The process's own folder; gone when it ends in peace.
inline const test::TemporaryFolder& folder() {
  static const test::TemporaryFolder own;
  return own;
}

/// Makes or replaces a file there. It is never cut to nothing in between: some file systems wait
/// for the disk then.
inline std::filesystem::path put(std::string_view name, std::span<const std::byte> bytes) {
  const std::filesystem::path path = folder() / name;
  const detail::FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  detail::write_all(file, bytes, path);
  if (::ftruncate(file.number(), static_cast<off_t>(bytes.size())) != 0)
    detail::fail_on_file(path, "cut", errno);
  return path;
}

[[noreturn]] inline void report(std::string_view what, std::string_view detail) {
  std::fprintf(stderr, "%.*s: %.*s\n", static_cast<int>(what.size()), what.data(),
               static_cast<int>(detail.size()), detail.data());
  std::abort();
}

inline void must(bool holds, std::string_view what) {
  if (!holds) report("a broken promise", what);
}

/// Whether `read` came back with a result, rather than with an error that names the file.
template <class Read>
bool has_result(const Read& read) {
  try {
    read();
    return true;
  } catch (const Error& error) {
    const std::string_view message = error.what();
    if (message.size() > 1000) report("an endless message", message);
    if (message.find(folder().path().string()) == std::string_view::npos)
      report("a message without the file", message);
    return false;
  }
}

}  // namespace lrqat::fuzz

#endif  // LRQAT_TESTS_FUZZ_ANSWERS_HPP
