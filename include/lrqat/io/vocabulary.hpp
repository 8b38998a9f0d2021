// SPDX-License-Identifier: MIT
// io/vocabulary.hpp: the pieces of a tokenizer, as files of models carry them along.
#ifndef LRQAT_IO_VOCABULARY_HPP
#define LRQAT_IO_VOCABULARY_HPP

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lrqat {

/// Numbers of SentencePiece, which GGUF took over.
enum class PieceKind : std::int32_t {
  normal = 1,
  unknown = 2,
  control = 3,
  user_defined = 4,
  unused = 5,
  byte = 6  // its text is "<0x0A>" for byte 10
};

/// A vocabulary of the SentencePiece kind: a text is cut into characters, and the neighbours whose
/// concatenation has the highest score are merged first (byte pair encoding).
struct Vocabulary {
  struct Piece {
    std::string text;  // a space is U+2581
    float score = 0.0f;
    PieceKind kind = PieceKind::normal;
    bool operator==(const Piece&) const = default;
  };
  static constexpr std::string_view space = "\xE2\x96\x81";  // U+2581

  std::vector<Piece> pieces;
  std::uint32_t unknown = 0, bos = 1, eos = 2;
  bool operator==(const Vocabulary&) const = default;
};

namespace detail {

/// Every `from` in the text becomes `to`.
inline std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
  std::string result;
  while (true) {
    const std::size_t at = text.find(from);
    result += text.substr(0, at);
    if (at == std::string_view::npos) return result;
    result += to;
    text.remove_prefix(at + from.size());
  }
}

}  // namespace detail

}  // namespace lrqat

#endif  // LRQAT_IO_VOCABULARY_HPP
