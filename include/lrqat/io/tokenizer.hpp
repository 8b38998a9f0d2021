// SPDX-License-Identifier: MIT
// io/tokenizer.hpp: what every tokenizer offers, whatever its file format.
#ifndef LRQAT_IO_TOKENIZER_HPP
#define LRQAT_IO_TOKENIZER_HPP

#include <lrqat/core/expects.hpp>
#include <lrqat/io/vocabulary.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lrqat {

/// The number of a piece of text in a vocabulary of at most 65536 pieces.
using Token = std::uint16_t;

/// Whether an encoded text begins with the token that marks the beginning of a text.
enum class Bos { omit, prepend };

/// Text to tokens and back. Nothing changes after construction, so threads may share one.
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  virtual std::size_t vocab_size() const = 0;
  /// The token that marks the beginning of a text.
  virtual Token bos() const = 0;
  virtual std::vector<Token> encode(std::string_view text, Bos bos) const = 0;
  /// The bytes that `token` adds to a text after `previous`. They may be part of a character only:
  /// pieces for single bytes exist. A token outside the vocabulary is an error.
  virtual std::string decode(Token previous, Token token) const = 0;
  /// Its pieces, for a file that carries them along. @throws Error where they are of another kind
  virtual Vocabulary vocabulary() const {
    fail("this tokenizer has no pieces that a model's file could carry along");
  }
};

/// The text of a whole sequence; the beginnings of texts in it add nothing.
inline std::string decode_all(const Tokenizer& tokenizer, std::span<const Token> tokens) {
  std::string text;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i] == tokenizer.bos()) continue;
    text += tokenizer.decode(i == 0 ? tokenizer.bos() : tokens[i - 1], tokens[i]);
  }
  return text;
}

}  // namespace lrqat

#endif  // LRQAT_IO_TOKENIZER_HPP
