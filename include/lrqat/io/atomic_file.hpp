// SPDX-License-Identifier: MIT
// io/atomic_file.hpp: replace a file completely or not at all.
#ifndef LRQAT_IO_ATOMIC_FILE_HPP
#define LRQAT_IO_ATOMIC_FILE_HPP

#include <lrqat/io/detail/file_descriptor.hpp>

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <sys/file.h>

namespace lrqat {

namespace detail {

/// The file that a name stands for: symbolic links followed, so that they survive a rename.
inline std::filesystem::path resolve_target(const std::filesystem::path& requested) {
  namespace fs = std::filesystem;
  expects(requested.has_filename(), requested.string(), ": a file to write needs a name");
  std::error_code error;
  const bool is_link = fs::is_symlink(fs::symlink_status(requested, error));
  fs::path target = is_link ? fs::canonical(requested, error) : requested;
  expects(!is_link || !error, requested.string(), ": cannot follow the link: ", error.message());
  const fs::file_status status = fs::status(target, error);
  expects(!fs::exists(status) || fs::is_regular_file(status), target.string(),
          ": cannot be written: not a regular file");
  return target;
}

/// A file `.<name>.tmp` beside the target, locked, removed in the end unless it was kept. The name
/// is fixed, so that what a killed process left behind is reused and nothing piles up; the lock
/// turns two writers at a time into an error for the second, where the file system has locks.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::filesystem::path& target)
      : path_(target.parent_path() / ("." + target.filename().string() + ".tmp")) {
    while (true) {
      FileDescriptor file(::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666));
      if (!file.is_open()) fail_on_file(path_, "create", errno);
      // A file system without locks gives another error; there the second writer goes unnoticed.
      expects(::flock(file.number(), LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK,
              target.string(), ": somebody else is writing this file");
      // Between our open and our lock another writer may have renamed or removed this very file.
      const struct stat locked = status_of(file, path_);
      struct stat named {};
      if (::lstat(path_.c_str(), &named) != 0 || named.st_ino != locked.st_ino ||
          named.st_dev != locked.st_dev)
        continue;
      file_ = std::move(file);
      return;
    }
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() {
    if (!kept_) ::unlink(path_.c_str());
  }

  const FileDescriptor& file() const { return file_; }
  const std::filesystem::path& path() const { return path_; }
  void keep() { kept_ = true; }

 private:
  std::filesystem::path path_;
  FileDescriptor file_;
  bool kept_ = false;
};

}  // namespace detail

/// Writes go to a temporary file in the same folder; commit() forces them to the disk and renames
/// the temporary over the target. A reader sees the old file or the new one, whole. On any error
/// (a full disk included), or without commit(), the temporary is removed and the old file is as it
/// was. Errors name the path and the system's reason.
class AtomicFile {
 public:
  explicit AtomicFile(const std::filesystem::path& target)
      : target_(detail::resolve_target(target)), temporary_(target_) {
    const int file = temporary_.file().number();
    if (::ftruncate(file, 0) != 0) detail::fail_on_file(temporary_.path(), "empty", errno);
    struct stat old {};
    if (::stat(target_.c_str(), &old) == 0 && ::fchmod(file, old.st_mode & 07777u) != 0)
      detail::fail_on_file(temporary_.path(), "set the permissions of", errno);
  }

  void write(std::span<const std::byte> bytes) {
    expects(!committed_, target_.string(), ": written after commit()");
    detail::write_all(temporary_.file(), bytes, target_);
  }
  void write(std::string_view text) { write(std::as_bytes(std::span(text))); }

  /// Makes the new file take the old one's place. To be called once, last.
  void commit() {
    expects(!committed_, target_.string(), ": committed twice");
    if (::fsync(temporary_.file().number()) != 0)
      detail::fail_on_file(target_, "write to the disk", errno);
    if (::rename(temporary_.path().c_str(), target_.c_str()) != 0)
      detail::fail_on_file(target_, "replace", errno);
    temporary_.keep();
    committed_ = true;
    const std::filesystem::path folder = target_.has_parent_path() ? target_.parent_path() : ".";
    const detail::FileDescriptor entry(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!entry.is_open()) return;  // a folder that may be written but not read
    // Some file systems cannot sync a folder and say EINVAL; the rename itself was done.
    if (::fsync(entry.number()) != 0 && errno != EINVAL)
      detail::fail_on_file(folder, "write to the disk the new name of a file in it", errno);
  }

 private:
  std::filesystem::path target_;
  detail::TemporaryFile temporary_;
  bool committed_ = false;
};

/// Makes the folder and those above it where they are missing. Errors name it and the reason.
inline void make_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  expects(!error && std::filesystem::is_directory(folder), folder.string(),
          ": the folder cannot be made: ", error ? error.message() : "it is a file");
}

/// Replaces `target` by these bytes, completely or not at all.
inline void write_file(const std::filesystem::path& target, std::span<const std::byte> bytes) {
  AtomicFile file(target);
  file.write(bytes);
  file.commit();
}
inline void write_file(const std::filesystem::path& target, std::string_view text) {
  write_file(target, std::as_bytes(std::span(text)));
}

}  // namespace lrqat

#endif  // LRQAT_IO_ATOMIC_FILE_HPP
