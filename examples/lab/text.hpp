// SPDX-License-Identifier: MIT
// examples/lab/text.hpp: the token streams that a command reads.
#ifndef LRQAT_LAB_TEXT_HPP
#define LRQAT_LAB_TEXT_HPP

#include <lrqat/io/tokenizer.hpp>

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace lrqat::lab {

/// A tokenizer file: SentencePiece where its name ends in ".model", the one inside a GGUF file where
/// it ends in ".gguf", otherwise llama2.c's format.
/// @throws Error when it does not have `vocab` pieces
std::unique_ptr<Tokenizer> read_tokenizer(const std::filesystem::path& path, std::size_t vocab);

/// Tokens and where they come from.
struct Stream {
  std::vector<Token> tokens;
  std::string origin;             // a file's name, or a part of one
  std::optional<double> bytes{};  // of the text that they stand for, where it is known
};

/// Training, development and test stream.
struct Splits {
  Stream train, dev, test;
  std::string note;  // what was held out of the training stream, for a person; empty if nothing
};

/// What the command line says about text. Empty paths were not given.
struct TextSources {
  std::filesystem::path tokens, data, tokenizer, dev, test;
};

/// Reads texts for one model.
class TextReader {
 public:
  /// @param own  the model's tokenizer, which serves when none is named; may be empty
  TextReader(TextSources sources, const std::filesystem::path& own, std::size_t vocab)
      : sources_(std::move(sources)), vocab_(vocab) {
    if (sources_.tokenizer.empty()) sources_.tokenizer = own;
  }

  /// --tokens or --data, all of it.
  Stream whole();
  /// --tokens or --data as training stream, --dev and --test; what is not named is held out: the
  /// last tenth of the training stream for the test, the twentieth before it for development, in
  /// whole windows of `context` tokens.
  Splits splits(std::size_t context);

  /// The tokenizer, read when it is first needed. @throws Error when none is named
  const Tokenizer& tokenizer();

 private:
  Stream stream(const std::filesystem::path& path, bool is_text);
  Stream named(const std::filesystem::path& path) {
    return stream(path, path.extension() != ".u16");
  }

  TextSources sources_;
  std::size_t vocab_;
  std::unique_ptr<Tokenizer> tokenizer_;
};

}  // namespace lrqat::lab

#endif  // LRQAT_LAB_TEXT_HPP
