// SPDX-License-Identifier: MIT
// io/mapped_file.hpp: a file's bytes, read-only, in memory without copying them.
#ifndef LRQAT_IO_MAPPED_FILE_HPP
#define LRQAT_IO_MAPPED_FILE_HPP

#include <lrqat/io/detail/file_descriptor.hpp>

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>
#include <utility>

#include <sys/mman.h>

namespace lrqat {

/// Maps a whole regular file. An empty file gives an empty span; a folder, a pipe, a device or a
/// missing file is an lrqat::Error that names the path. As with every mapping, the file must not
/// be shortened by somebody else while it is read.
class MappedFile {
 public:
  explicit MappedFile(std::filesystem::path path) : path_(std::move(path)) {
    // Without O_NONBLOCK, opening a pipe that nobody writes to would wait for ever.
    const detail::FileDescriptor file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!file.is_open()) detail::fail_on_file(path_, "open", errno);
    const struct stat status = detail::status_of(file, path_);
    expects(!S_ISDIR(status.st_mode), path_.string(), ": is a folder, not a file");
    expects(S_ISREG(status.st_mode), path_.string(), ": is not a regular file");
    const auto size = static_cast<std::size_t>(status.st_size);
    if (size == 0) return;
    void* const start = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.number(), 0);
    if (start == MAP_FAILED) detail::fail_on_file(path_, "map into memory", errno);
    bytes_ = {static_cast<const std::byte*>(start), size};
  }
  MappedFile(MappedFile&& other) noexcept
      : path_(std::move(other.path_)), bytes_(std::exchange(other.bytes_, {})) {}
  MappedFile& operator=(MappedFile&& other) noexcept {
    std::swap(path_, other.path_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~MappedFile() {
    if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
  }

  const std::filesystem::path& path() const { return path_; }
  /// Valid as long as this object, or the one it was moved into, lives.
  std::span<const std::byte> bytes() const { return bytes_; }
  std::string_view text() const {
    return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()};
  }

 private:
  std::filesystem::path path_;
  std::span<const std::byte> bytes_;
};

}  // namespace lrqat

#endif  // LRQAT_IO_MAPPED_FILE_HPP
