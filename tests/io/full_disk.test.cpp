// SPDX-License-Identifier: MIT
// io/full_disk.test.cpp: every writer on a disk that is full.
#include <lrqat/io/gguf_writer.hpp>
#include <lrqat/io/json_line.hpp>
#include <lrqat/io/llama2c.hpp>
#include <lrqat/io/llama2c_tokenizer.hpp>
#include <lrqat/io/safetensors.hpp>
#include <lrqat/io/token_stream.hpp>
#include <lrqat/train/checkpoint.hpp>

#include "plain_files.hpp"
#include "small_llama.hpp"
#include "small_tokenizer.hpp"

#include <support/data.hpp>

#include <catch2/catch.hpp>

#include <fstream>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace lrqat;
using lrqat::test::error_of;
using lrqat::test::read_plainly;
using Path = std::filesystem::path;

namespace {

constexpr int no_mount = 99;

/// A view of the mounted folders of this process's own; for somebody who is not root, as the root
/// of a namespace of users that holds nobody else.
bool may_mount() {
  if (::unshare(CLONE_NEWNS) != 0) {
    const std::string user = std::to_string(::getuid()), group = std::to_string(::getgid());
    if (::unshare(CLONE_NEWNS | CLONE_NEWUSER) != 0) return false;
    std::ofstream("/proc/self/uid_map") << "0 " + user + " 1";
    std::ofstream("/proc/self/setgroups") << "deny";
    std::ofstream("/proc/self/gid_map") << "0 " + group + " 1";
  }
  return ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

/// Runs `body` in a child process for which `folder` is a disk of 8 KiB; its exit status, or
/// no_mount where the system does not allow that.
template <class Body>
int in_child_with_small_disk(const Path& folder, const Body& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    const bool is_mounted =
        may_mount() && ::mount("lrqat", folder.c_str(), "tmpfs", 0, "size=8k") == 0;
    ::_exit(is_mounted ? body() : no_mount);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

using Writer = std::function<void(const Path&)>;

/// Each writes more than 8 KiB.
std::vector<std::pair<std::string, Writer>> writers() {
  static const std::vector<std::byte> bytes(20000);
  static const Llama2cTokenizer tokenizer(
      std::vector<Llama2cTokenizer::Piece>(2000, {"some piece"}));
  static std::vector<float> numbers(5000), gradients(5000);
  static AdamW optimizer({{"A", Role::adapter, numbers, gradients}});
  static LlamaWeights llama = test::small_llama(true);
  llama.config.context = 4000;
  return {
      {"text", [](const Path& path) { write_file(path, std::string(20000, 'x')); }},
      {"llama2c", [](const Path& path) { write_llama2c(path, llama); }},
      {"tokenizer", [](const Path& path) { write_llama2c_tokenizer(path, tokenizer); }},
      {"tokens", [](const Path& path) { write_token_stream(path, std::vector<Token>(10000)); }},
      {"safetensors",
       [](const Path& path) {
         write_safetensors(path, std::vector<TensorToWrite>{{"a", "I8", {20000}, bytes}});
       }},
      {"GGUF",
       [](const Path& path) {
         write_gguf(path, {}, std::vector<GgufTensorToWrite>{{"a", GgmlType::f32, {5000}, [] {
                                                                return AlignedVector<std::byte>(
                                                                    bytes.begin(), bytes.end());
                                                              }}});
       }},
      {"checkpoint", [](const Path& path) { save_checkpoint(path, "", {}, optimizer); }},
  };
}

}  // namespace

TEST_CASE("Writers: on a full disk one error names file and reason, and the old file stays",
          "[io]") {
  for (const auto& writer : writers()) {
    CAPTURE(writer.first);
    const Writer& write = writer.second;
    const test::TemporaryFolder folder;
    const Path path = folder / "file";
    // Where there is room, it writes.
    write(path);
    CHECK(read_plainly(path).size() > 8192);
    std::filesystem::remove(path);

    const int status = in_child_with_small_disk(folder.path(), [&] {
      write_file(path, "old");
      const std::string message = error_of([&] { write(path); });
      if (message != path.string() + ": cannot write: No space left on device") return 1;
      if (read_plainly(path) != "old") return 2;
      if (folder.names() != std::vector<std::string>{"file"}) return 3;
      write_file(path, "there is room for this");
      return read_plainly(path) == "there is room for this" ? 0 : 4;
    });
    if (status == no_mount) return test::report_skipped("this process may not mount a small disk");
    CHECK(status == 0);
    CHECK(folder.names().empty());  // the disk was the child's own
  }
}

TEST_CASE("Writers: a log on a full disk is one error, and its whole lines stay", "[io]") {
  const test::TemporaryFolder folder;
  const Path path = folder / "log.jsonl";
  const int status = in_child_with_small_disk(folder.path(), [&] {
    JsonLineLog log(path);
    std::string message;
    std::size_t lines = 0;
    while (message.empty() && lines < 100) {
      message = error_of([&] { log.append({{"text", std::string(1000, 'x')}}); });
      lines += message.empty() ? 1 : 0;
    }
    if (message != path.string() + ": cannot write: No space left on device") return 1;
    const std::string text = read_plainly(path);
    if (lines == 0 || text.size() < lines * 1000) return 2;
    // The end of what there was room for is ended once there is room again.
    const std::size_t torn = text.rfind('\n') + 1;
    std::filesystem::resize_file(path, torn + 3);
    JsonLineLog(path).append({{"step", 1}});
    const std::string after = read_plainly(path);
    return after.substr(torn) == "{\"t\n{\"step\":1}\n" ? 0 : 3;
  });
  if (status == no_mount) return test::report_skipped("this process may not mount a small disk");
  CHECK(status == 0);
}
