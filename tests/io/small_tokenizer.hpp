// SPDX-License-Identifier: MIT
// tests/io/small_tokenizer.hpp: a tokenizer with byte fallback and four pieces.
#ifndef LRQAT_TESTS_IO_SMALL_TOKENIZER_HPP
#define LRQAT_TESTS_IO_SMALL_TOKENIZER_HPP

#include <lrqat/io/llama2c_tokenizer.hpp>

#include <cstdio>
#include <utility>
#include <vector>

namespace lrqat::test {

/// 3 to 258 are the bytes, 259 " ", 260 "a", 261 " a", 262 an a umlaut (two bytes of UTF-8).
inline Llama2cTokenizer byte_tokenizer() {
  std::vector<Llama2cTokenizer::Piece> pieces{{"<unk>"}, {"\n<s>\n"}, {"\n</s>\n"}};
  for (unsigned byte = 0; byte < 256; ++byte) {
    char text[8];
    std::snprintf(text, sizeof text, "<0x%02X>", byte);
    pieces.push_back({text});
  }
  for (const char* text : {" ", "a", " a", "\xC3\xA4"}) pieces.push_back({text});
  return Llama2cTokenizer(std::move(pieces));
}

}  // namespace lrqat::test

#endif  // LRQAT_TESTS_IO_SMALL_TOKENIZER_HPP
