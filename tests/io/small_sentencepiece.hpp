// SPDX-License-Identifier: MIT
// tests/io/small_sentencepiece.hpp: SentencePiece models of a few pieces, written field by field as
// protocol buffers are.
#ifndef LRQAT_TESTS_IO_SMALL_SENTENCEPIECE_HPP
#define LRQAT_TESTS_IO_SMALL_SENTENCEPIECE_HPP

#include <lrqat/io/detail/bytes.hpp>

#include <cstdio>
#include <string>
#include <string_view>

namespace lrqat::test {

enum class PieceType { normal = 1, unknown = 2, control = 3, byte = 6 };

/// Both shorter than 128 bytes, so that a length or a number takes one byte.
inline std::string proto_field(int number, std::string_view bytes) {
  return std::string{static_cast<char>(number << 3 | 2), static_cast<char>(bytes.size())} +
         std::string(bytes);
}
inline std::string proto_field(int number, int value) {
  return {static_cast<char>(number << 3), static_cast<char>(value)};
}

inline std::string sentencepiece(std::string_view text, float score, PieceType type) {
  std::string bytes = proto_field(1, text) + "\x15";  // field 2, four bytes
  detail::append_number(bytes, score);
  return proto_field(1, bytes + proto_field(3, static_cast<int>(type)));
}

/// Ids 0 to 6: unknown, begin, end, space, "a", "b", " a".
inline std::string small_pieces(PieceType type_of_space = PieceType::normal) {
  return sentencepiece("<unk>", 0, PieceType::unknown) +
         sentencepiece("<s>", 0, PieceType::control) +
         sentencepiece("</s>", 0, PieceType::control) +
         sentencepiece("\xE2\x96\x81", -1, type_of_space) +
         sentencepiece("a", -2, PieceType::normal) + sentencepiece("b", -3, PieceType::normal) +
         sentencepiece(
             "\xE2\x96\x81"
             "a",
             -1.5f, PieceType::normal);
}

inline std::string unigram_model() { return small_pieces() + proto_field(2, proto_field(3, 1)); }

inline std::string bpe_model(PieceType type_of_space = PieceType::normal) {
  return small_pieces(type_of_space) + proto_field(2, proto_field(3, 2));
}

/// Also ids 7 to 262: every byte.
inline std::string byte_model() {
  std::string pieces = small_pieces();
  for (unsigned value = 0; value < 256; ++value) {
    char text[8];
    std::snprintf(text, sizeof text, "<0x%02X>", value);
    pieces += sentencepiece(text, 0, PieceType::byte);
  }
  const std::string byte_fallback = "\x98\x02\x01";  // field 35
  return pieces + proto_field(2, proto_field(3, 2) + byte_fallback);
}

}  // namespace lrqat::test

#endif  // LRQAT_TESTS_IO_SMALL_SENTENCEPIECE_HPP
