// SPDX-License-Identifier: MIT
// io/json_line.hpp: a log of one JSON object a line.
#ifndef LRQAT_IO_JSON_LINE_HPP
#define LRQAT_IO_JSON_LINE_HPP

#include <lrqat/core/expects.hpp>
#include <lrqat/io/detail/file_descriptor.hpp>

#include <nlohmann/json.hpp>

#include <filesystem>
#include <span>
#include <string>
#include <utility>

namespace lrqat {

/// A JSON object that keeps its keys in the order they were given.
using JsonObject = nlohmann::ordered_json;

/// Appends to a log file, which is made when missing. Each line reaches the system in one write,
/// so that it is there for a reader, and after a crash of this process, as soon as append()
/// returns. A torn last line of an earlier run (a full disk) is ended, so that new ones stay whole.
class JsonLineLog {
 public:
  explicit JsonLineLog(std::filesystem::path path) : path_(std::move(path)) {
    file_ = detail::FileDescriptor(
        ::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0666));
    if (!file_.is_open()) detail::fail_on_file(path_, "open", errno);
    const struct stat status = detail::status_of(file_, path_);
    expects(S_ISREG(status.st_mode), path_.string(), ": is not a regular file");
    char last = '\n';
    if (status.st_size > 0 && ::pread(file_.number(), &last, 1, status.st_size - 1) != 1)
      detail::fail_on_file(path_, "read", errno);
    if (last != '\n') write("\n");
  }

  /// `log.append({{"step", 3}, {"loss", 1.25}});` A number that is not finite becomes null. What
  /// is no object, or text that is not UTF-8, is an error.
  void append(const JsonObject& object) {
    expects(object.is_object(), path_.string(), ": a line must be a JSON object, not a ",
            object.type_name());
    std::string line;
    try {
      line = object.dump();
    } catch (const nlohmann::json::exception& error) {
      fail(path_.string(), ": cannot write a line: ", error.what());
    }
    write(line + "\n");
  }

 private:
  void write(const std::string& line) {
    detail::write_all(file_, std::as_bytes(std::span(line)), path_);
  }

  std::filesystem::path path_;
  detail::FileDescriptor file_;
};

}  // namespace lrqat

#endif  // LRQAT_IO_JSON_LINE_HPP
