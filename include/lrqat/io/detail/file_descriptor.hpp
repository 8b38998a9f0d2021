// SPDX-License-Identifier: MIT
// io/detail/file_descriptor.hpp: an open POSIX file that closes itself.
#ifndef LRQAT_IO_DETAIL_FILE_DESCRIPTOR_HPP
#define LRQAT_IO_DETAIL_FILE_DESCRIPTOR_HPP

#include <lrqat/core/expects.hpp>

#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace lrqat::detail {

/// What the operating system says about an errno: "No space left on device".
inline std::string system_reason(int error_number) {
  return std::generic_category().message(error_number);
}

/// An error about a file: "<path>: cannot <action>: <reason>".
[[noreturn]] inline void fail_on_file(const std::filesystem::path& path, std::string_view action,
                                      int error_number) {
  fail(path.string(), ": cannot ", action, ": ", system_reason(error_number));
}

class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int number) : number_(number) {}
  FileDescriptor(FileDescriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~FileDescriptor() { close(); }

  int number() const { return number_; }
  bool is_open() const { return number_ >= 0; }
  void close() {
    if (is_open()) ::close(std::exchange(number_, -1));
  }

 private:
  int number_ = -1;
};

inline struct stat status_of(const FileDescriptor& file, const std::filesystem::path& path) {
  struct stat status {};
  if (::fstat(file.number(), &status) != 0) fail_on_file(path, "examine", errno);
  return status;
}

/// Writes every byte, or fails naming `path`.
inline void write_all(const FileDescriptor& file, std::span<const std::byte> bytes,
                      const std::filesystem::path& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file.number(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail_on_file(path, "write", errno);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

}  // namespace lrqat::detail

#endif  // LRQAT_IO_DETAIL_FILE_DESCRIPTOR_HPP
