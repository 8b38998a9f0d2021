// SPDX-License-Identifier: MIT
// tests/fuzz/sentencepiece.cpp: the target for SentencePiece models.
#include "answers.hpp"
#include "targets.hpp"

#include <lrqat/io/sentencepiece.hpp>

#include <algorithm>
#include <string_view>

namespace lrqat::fuzz {

void sentencepiece(std::span<const std::byte> input) {
  const std::filesystem::path path = put("tokenizer.model", input);
  has_result([&] {
    const SentencePieceTokenizer tokenizer(path);
    for (std::size_t token = 0; token < tokenizer.vocab_size(); ++token)
      tokenizer.decode(tokenizer.bos(), static_cast<Token>(token));
    for (const Token token : tokenizer.encode("a b\xC3\xA4\n", Bos::prepend))
      must(token < tokenizer.vocab_size(), "a token beyond the vocabulary");
  });
}

}  // namespace lrqat::fuzz
