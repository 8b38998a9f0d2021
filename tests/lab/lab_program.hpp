// SPDX-License-Identifier: MIT
// tests/lab/lab_program.hpp: lrqat-lab as a person runs it, and small files to run it on.
#ifndef LRQAT_TESTS_LAB_LAB_PROGRAM_HPP
#define LRQAT_TESTS_LAB_LAB_PROGRAM_HPP

#include "lab/pretrain.hpp"
#include "support/data.hpp"
#include "support/temporary_folder.hpp"

#include <lrqat/core/rng.hpp>
#include <lrqat/io/llama2c.hpp>
#include <lrqat/io/llama2c_tokenizer.hpp>
#include <lrqat/io/token_stream.hpp>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

namespace lrqat::test {

inline std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

inline std::size_t lines_of(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

/// LRQAT_LAB, or where the build puts the program beside this one.
inline std::optional<std::filesystem::path> lab_program() {
  const char* chosen = std::getenv("LRQAT_LAB");
  const std::filesystem::path program =
      chosen
          ? std::filesystem::path(chosen)
          : std::filesystem::read_symlink("/proc/self/exe").parent_path() / "../examples/lrqat-lab";
  if (std::filesystem::exists(program)) return std::filesystem::canonical(program);
  report_skipped("there is no " + program.string() + "; build lrqat-lab or set LRQAT_LAB");
  return std::nullopt;
}

struct Finished {
  int code = 0;  // 128 + signal where one ended the program
  std::string out, err;
};

/// The program started with arguments as a shell reads them, in a folder of its own.
class LabRun {
 public:
  LabRun(const std::filesystem::path& program, const std::string& arguments,
         const std::filesystem::path& folder)
      : out_(folder / "stdout.txt"), err_(folder / "stderr.txt") {
    // Its own redirections come first, so that arguments may hold others.
    const std::string command = "cd '" + folder.string() + "' && exec >'" + out_.string() +
                                "' 2>'" + err_.string() + "' && exec '" + program.string() + "' " +
                                arguments;
    process_ = ::fork();
    if (process_ == 0) {
      ::execl("/bin/sh", "sh", "-c", command.c_str(), static_cast<char*>(nullptr));
      ::_exit(127);
    }
  }
  LabRun(const LabRun&) = delete;
  LabRun& operator=(const LabRun&) = delete;

  void signal(int number) const { ::kill(process_, number); }
  bool is_running() {
    if (!ended_ && ::waitpid(process_, &status_, WNOHANG) == process_) ended_ = true;
    return !ended_;
  }
  Finished wait() {
    if (!ended_) ::waitpid(process_, &status_, 0);
    ended_ = true;
    const int code = WIFEXITED(status_) ? WEXITSTATUS(status_) : 128 + WTERMSIG(status_);
    return {code, text_of(out_), text_of(err_)};
  }

 private:
  std::filesystem::path out_, err_;
  ::pid_t process_ = 0;
  int status_ = 0;
  bool ended_ = false;
};

/// A folder with a tiny model, its tokenizer and texts; and the program.
class LabBench {
 public:
  /// model.bin, tokenizer.bin, train.u16, dev.u16, test.u16, text.txt
  explicit LabBench(std::filesystem::path program) : program_(std::move(program)) {
    LlamaConfig config{.dim = 16,
                       .hidden_dim = 40,
                       .layers = 2,
                       .heads = 2,
                       .kv_heads = 1,
                       .head_dim = 8,
                       .vocab = 64,
                       .context = 32};
    write_llama2c(folder_ / "model.bin", lab::random_weights(config, 3));
    write_stream("train.u16", 4000);
    write_stream("dev.u16", 200);
    write_stream("test.u16", 300);
    std::vector<Llama2cTokenizer::Piece> pieces{{"<unk>"}, {"\n<s>\n"}, {"\n</s>\n"}};
    for (int id = 3; id < 64; ++id)
      pieces.push_back({std::string(1, static_cast<char>(' ' + id - 3)), 0.0f});
    write_llama2c_tokenizer(folder_ / "tokenizer.bin", Llama2cTokenizer(pieces));
    std::string text;
    for (int story = 0; story < 40; ++story)
      text += "ONE DAY, A DOG RAN " + std::to_string(story) + " MILES.\n<|endoftext|>\n";
    std::ofstream(folder_ / "text.txt") << text;
  }

  std::filesystem::path operator/(const std::string& name) const { return folder_ / name; }
  Finished run(const std::string& arguments) const { return start(arguments)->wait(); }
  std::unique_ptr<LabRun> start(const std::string& arguments) const {
    return std::make_unique<LabRun>(program_, arguments, folder_.path());
  }

 private:
  /// Mostly counting up, so that there is something to learn.
  void write_stream(const std::string& name, std::size_t size) const {
    const CounterRng random(size, 0);
    std::vector<Token> tokens(size, 1);
    for (std::size_t i = 1; i < size; ++i)
      tokens[i] = static_cast<Token>(random.uniform(i) < 0.8f ? (tokens[i - 1] + 1) % 64
                                                              : random.below(64, i + size));
    write_token_stream(folder_ / name, tokens);
  }

  std::filesystem::path program_;
  TemporaryFolder folder_;
};

/// What the program prints as one JSON object.
inline nlohmann::json json_of(const LabBench& bench, const std::string& arguments) {
  const Finished ran = bench.run(arguments);
  CAPTURE(arguments, ran.err);
  REQUIRE(ran.code == 0);
  return nlohmann::json::parse(ran.out);
}

/// Bad input: one sentence that mentions the second text, exit code 2, and no "new" in the folder.
inline void check_refused(const LabBench& bench,
                          std::span<const std::pair<std::string, std::string>> cases) {
  for (const auto& [arguments, mention] : cases) {
    const Finished ran = bench.run(arguments);
    CAPTURE(arguments, ran.out, ran.err);
    CHECK(ran.code == 2);
    CHECK_THAT(ran.err, Catch::StartsWith("lrqat-lab: ") && Catch::Contains(mention));
    CHECK(std::count(ran.err.begin(), ran.err.end(), '\n') == 1);
    CHECK_FALSE(std::filesystem::exists(bench / "new"));
  }
}

}  // namespace lrqat::test

#endif  // LRQAT_TESTS_LAB_LAB_PROGRAM_HPP
