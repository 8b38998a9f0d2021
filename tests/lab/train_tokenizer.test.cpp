// SPDX-License-Identifier: MIT
// tests/lab/train_tokenizer.test.cpp
#include "lab/train_tokenizer.hpp"

#include "lab/story_grammar.hpp"
#include "support/temporary_folder.hpp"

#include <catch2/catch.hpp>

#include <set>
#include <string>
#include <vector>

using lrqat::Bos;
using lrqat::Llama2cTokenizer;
using lrqat::Token;
using lrqat::lab::train_tokenizer;

namespace {

std::string piece(const Llama2cTokenizer& tokenizer, std::size_t id) {
  return tokenizer.pieces()[id].text;
}

std::vector<std::string> cut(const Llama2cTokenizer& tokenizer, const std::string& text) {
  std::vector<std::string> pieces;
  for (const Token token : tokenizer.encode(text, Bos::omit))
    pieces.push_back(piece(tokenizer, token));
  return pieces;
}

}  // namespace

TEST_CASE("train_tokenizer: merges the most frequent pair first", "[lab]") {
  // Units: " ab" 3 times, " abc" twice, "d" once. Pairs: "ab" and " a" 5 each, "bc" 2; then
  // " ab" 5, "bc" 2; then " abc" 2.
  const auto tokenizer = train_tokenizer("ab ab ab abc abc\nd", 3 + 256 + 6 + 3);
  CHECK(tokenizer.vocab_size() == 268);
  CHECK(piece(tokenizer, 259) == " a");  // before "ab" in byte order
  CHECK(piece(tokenizer, 260) == " ab");
  CHECK(piece(tokenizer, 261) == " abc");
  CHECK(piece(tokenizer, 262) == " ");  // the characters, the most frequent first
  CHECK(cut(tokenizer, "ab abc") == std::vector<std::string>{" ab", " abc"});
  CHECK(cut(tokenizer, "ba") == std::vector<std::string>{" ", "b", "a"});
}

TEST_CASE("train_tokenizer: pieces stay inside of words, signs and lines", "[lab]") {
  const std::string corpus = lrqat::lab::story_corpus(1, 200'000);
  const auto tokenizer = train_tokenizer(corpus, 512);
  REQUIRE(tokenizer.vocab_size() == 512);
  std::set<std::string> different;
  for (std::size_t id = 259; id < 512; ++id) {
    const std::string text = piece(tokenizer, id);
    CHECK(different.insert(text).second);
    CHECK(text.find(' ', 1) == std::string::npos);
    CHECK((text == "\n" || text.find('\n') == std::string::npos));
    CHECK(tokenizer.pieces()[id].score == -static_cast<float>(id - 259));
  }
  CHECK(different.count(" the") == 1);
  CHECK(piece(tokenizer, 0) == "<unk>");
  CHECK(piece(tokenizer, 3) == "<0x00>");
  CHECK(piece(tokenizer, 258) == "<0xFF>");
}

TEST_CASE("train_tokenizer: what is encoded comes back, also what was never seen", "[lab]") {
  const std::string corpus = lrqat::lab::story_corpus(1, 200'000);
  const auto tokenizer = train_tokenizer(corpus, 512);
  std::vector<std::string> texts{"a", " two  spaces", "ZQ#7\t%", "caf\xC3\xA9 \xE2\x82\xAC",
                                 "\n\n"};
  const std::string unseen = lrqat::lab::story_corpus(2, 20'000);
  for (const std::string_view text : lrqat::split_texts(unseen)) texts.emplace_back(text);
  for (const std::string& text : texts)
    CHECK(decode_all(tokenizer, tokenizer.encode(text, Bos::prepend)) == text);
  const auto tokens = tokenize(tokenizer, corpus);
  CHECK(static_cast<double>(corpus.size()) / static_cast<double>(tokens.size()) > 2.0);
  for (const Token token : tokens) REQUIRE((token == 1 || token >= 259));  // no byte is needed
}

TEST_CASE("train_tokenizer: the tokenizer cuts a word as training did", "[lab]") {
  const std::string corpus = lrqat::lab::story_corpus(4, 100'000);
  const auto tokenizer = train_tokenizer(corpus, 450);
  lrqat::lab::bpe::UnitCounts units;
  for (const std::string_view text : lrqat::split_texts(corpus)) units.add(text);
  for (const auto& [unit, count] : units.counts()) {
    if (unit[0] != ' ') continue;  // encode puts the space before a text
    std::vector<std::string> pieces = lrqat::lab::bpe::characters_of(unit);
    for (std::size_t id = 259; id < 450; ++id)
      if (piece(tokenizer, id).size() > 1) lrqat::lab::bpe::join(pieces, piece(tokenizer, id));
    CHECK(cut(tokenizer, unit.substr(1)) == pieces);
  }
}

TEST_CASE("train_tokenizer: is the same every time and survives its file", "[lab]") {
  const std::string corpus = lrqat::lab::story_corpus(1, 100'000);
  const auto tokenizer = train_tokenizer(corpus, 400);
  CHECK(tokenizer.pieces() == train_tokenizer(corpus, 400).pieces());
  const lrqat::test::TemporaryFolder folder;
  lrqat::write_llama2c_tokenizer(folder / "tokenizer.bin", tokenizer);
  CHECK(lrqat::read_llama2c_tokenizer(folder / "tokenizer.bin", 400).pieces() ==
        tokenizer.pieces());
}

TEST_CASE("train_tokenizer: sizes that cannot be are errors with their numbers", "[lab]") {
  CHECK_THROWS_WITH(train_tokenizer("abc", 262), Catch::Contains("4 characters do not fit 262"));
  CHECK_THROWS_WITH(train_tokenizer("ab", 300), Catch::Contains("300 are asked for"));
}
