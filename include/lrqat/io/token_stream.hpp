// SPDX-License-Identifier: MIT
// io/token_stream.hpp: texts as one long row of tokens, and the .u16 files that keep them.
#ifndef LRQAT_IO_TOKEN_STREAM_HPP
#define LRQAT_IO_TOKEN_STREAM_HPP

#include <lrqat/core/expects.hpp>
#include <lrqat/io/atomic_file.hpp>
#include <lrqat/io/detail/bytes.hpp>
#include <lrqat/io/mapped_file.hpp>
#include <lrqat/io/tokenizer.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lrqat {

/// Reads a .u16 file: 16-bit little-endian tokens and nothing else. A token that is not below
/// `vocab_size` is an error naming its position.
inline std::vector<Token> read_token_stream(const std::filesystem::path& path,
                                            std::size_t vocab_size) {
  const MappedFile file(path);
  const std::string where = path.string();
  const std::size_t size = file.bytes().size();
  expects(size % sizeof(Token) == 0, where, ": ", size, " bytes are no whole number of tokens");
  std::vector<Token> tokens(size / sizeof(Token));
  detail::ByteReader(file.bytes(), where).numbers(std::span<Token>(tokens), "the tokens");
  for (std::size_t i = 0; i < tokens.size(); ++i)
    expects(tokens[i] < vocab_size, where, ": token ", i, " is ", tokens[i],
            ", the vocabulary has ", vocab_size, " pieces");
  return tokens;
}

/// Writes a .u16 file, atomically.
inline void write_token_stream(const std::filesystem::path& path, std::span<const Token> tokens) {
  write_file(path, std::as_bytes(tokens));
}

/// The texts of a collection, which lines `<|endoftext|>` separate. The newline before such a line
/// and the last one of the collection belong to no text; empty texts are left out.
inline std::vector<std::string_view> split_texts(std::string_view collection) {
  constexpr std::string_view separator = "<|endoftext|>";
  std::vector<std::string_view> texts;
  std::size_t text_begin = 0;
  const auto add = [&](std::size_t end) {
    std::string_view text = collection.substr(text_begin, end - text_begin);
    if (!text.empty() && text.back() == '\n') text.remove_suffix(1);
    if (!text.empty()) texts.push_back(text);
  };
  for (std::size_t line = 0; line < collection.size();) {
    const std::size_t end = std::min(collection.find('\n', line), collection.size());
    if (collection.substr(line, end - line) == separator) {
      add(line);
      text_begin = std::min(end + 1, collection.size());
    }
    line = end + 1;
  }
  add(collection.size());
  return texts;
}
/// The views would outlive a string that is a temporary.
template <class Text>
requires std::same_as<Text, std::string>
void split_texts(Text&&) = delete;

/// The tokens of every text of a collection, each with its beginning marked, in one row.
inline std::vector<Token> tokenize(const Tokenizer& tokenizer, std::string_view collection) {
  std::vector<Token> tokens;
  for (const std::string_view text : split_texts(collection)) {
    const std::vector<Token> more = tokenizer.encode(text, Bos::prepend);
    tokens.insert(tokens.end(), more.begin(), more.end());
  }
  return tokens;
}

/// The same for a text file.
inline std::vector<Token> tokenize_file(const Tokenizer& tokenizer,
                                        const std::filesystem::path& path) {
  return tokenize(tokenizer, MappedFile(path).text());
}

}  // namespace lrqat

#endif  // LRQAT_IO_TOKEN_STREAM_HPP
