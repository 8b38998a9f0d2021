// SPDX-License-Identifier: MIT
// io/llama2c_tokenizer.test.cpp: encode and decode as run.c does, files checked.
#include <lrqat/io/llama2c_tokenizer.hpp>

#include "small_tokenizer.hpp"
#include "plain_files.hpp"

#include <lrqat/core/rng.hpp>
#include <support/data.hpp>

#include <catch2/catch.hpp>

#include <cstring>
#include <limits>
#include <map>

using lrqat::Bos;
using lrqat::Llama2cTokenizer;
using lrqat::Token;
using lrqat::test::byte_tokenizer;
using lrqat::test::error_of;
using lrqat::test::read_plainly;
using lrqat::test::write_plainly;
using Piece = Llama2cTokenizer::Piece;
using Tokens = std::vector<Token>;

namespace {

/// The definition, taken literally: in each round all pairs are looked at. Only for ASCII texts
/// and vocabularies that hold every character.
Tokens encode_by_definition(const std::vector<Piece>& pieces, const std::string& text) {
  std::map<std::string, Token> ids;
  for (std::size_t id = 0; id < pieces.size(); ++id) ids.emplace(pieces[id].text, Token(id));
  Tokens tokens{1};
  if (!text.empty()) tokens.push_back(ids.at(" "));
  for (const char c : text) tokens.push_back(ids.at(std::string(1, c)));
  while (true) {
    float best_score = -1e10f;
    std::size_t best = tokens.size();
    for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
      const auto found = ids.find(pieces[tokens[i]].text + pieces[tokens[i + 1]].text);
      if (found == ids.end() || pieces[found->second].score <= best_score) continue;
      best_score = pieces[found->second].score;
      best = i;
    }
    if (best == tokens.size()) return tokens;
    tokens[best] = ids.at(pieces[tokens[best]].text + pieces[tokens[best + 1]].text);
    tokens.erase(tokens.begin() + std::ptrdiff_t(best) + 1);
  }
}

}  // namespace

TEST_CASE("Llama2cTokenizer: equals the definition on random vocabularies and texts", "[io]") {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const lrqat::CounterRng rng(seed, 0);
    std::uint64_t draw = 0;
    const auto random_text = [&](std::uint32_t shortest, std::uint32_t longest) {
      std::string text(shortest + rng.below(longest - shortest + 1, draw++), ' ');
      for (char& c : text) c = " ab"[rng.below(3, draw++)];
      return text;
    };
    std::vector<Piece> pieces{{"<unk>"}, {"\n<s>\n"}, {"\n</s>\n"}, {" "}, {"a"}, {"b"}};
    const std::uint32_t more = rng.below(25, draw++);
    for (std::uint32_t i = 0; i < more; ++i)  // few different scores, so that there are ties
      pieces.push_back({random_text(2, 5), static_cast<float>(rng.below(4, draw++)) - 3.0f});
    const Llama2cTokenizer tokenizer(pieces);
    for (int trial = 0; trial < 10; ++trial) {
      const std::string text = random_text(0, 40);
      INFO("seed " << seed << ", text \"" << text << "\"");
      const Tokens tokens = tokenizer.encode(text, Bos::prepend);
      REQUIRE(tokens == encode_by_definition(pieces, text));
      REQUIRE(decode_all(tokenizer, tokens) == text);
    }
  }
}

TEST_CASE("Llama2cTokenizer: characters, bytes, unknowns and empty texts", "[io]") {
  const Llama2cTokenizer tokenizer = byte_tokenizer();  // 259 " ", 260 "a", 261 " a", 262 a umlaut
  CHECK(tokenizer.encode("", Bos::omit).empty());
  CHECK(tokenizer.encode("", Bos::prepend) == Tokens{1});
  CHECK(tokenizer.encode("a", Bos::omit) == Tokens{261});
  CHECK(tokenizer.encode("aa", Bos::prepend) == Tokens{1, 261, 260});
  CHECK(tokenizer.encode("\xC3\xA4", Bos::omit) == Tokens{259, 262});
  CHECK(tokenizer.encode("\n", Bos::omit) == Tokens{259, 3 + 10});
  CHECK(tokenizer.encode(std::string(1, '\0'), Bos::omit) == Tokens{259, 3});
  CHECK(tokenizer.encode("\xE2\x82\xAC", Bos::omit) == Tokens{259, 3 + 0xE2, 3 + 0x82, 3 + 0xAC});
  CHECK(tokenizer.encode("\xC3", Bos::omit) == Tokens{259, 3 + 0xC3});
  CHECK(tokenizer.encode("\xA4\xA4", Bos::omit) == Tokens{259, 3 + 0xA4, 3 + 0xA4});

  const Llama2cTokenizer no_bytes({{"<unk>"}, {"<s>"}, {"</s>"}, {" "}, {"a"}});
  CHECK(no_bytes.encode("a\n\xE2\x82\xAC", Bos::omit) == Tokens{3, 4, 0, 0});
}

TEST_CASE("Llama2cTokenizer: decode drops one space at the beginning and knows bytes", "[io]") {
  const Llama2cTokenizer tokenizer = byte_tokenizer();
  CHECK(tokenizer.decode(1, 261) == "a");
  CHECK(tokenizer.decode(260, 261) == " a");
  CHECK(tokenizer.decode(1, 259).empty());
  CHECK(tokenizer.decode(260, 3) == std::string(1, '\0'));
  CHECK(tokenizer.decode(260, 3 + 255) == "\xFF");
  CHECK_THAT(error_of([&] { tokenizer.decode(1, 263); }),
             Catch::Contains("263") && Catch::Contains("vocabulary"));
  for (const std::string text : {"", "a", " a", "\xC3\xA4 a\n\xE2\x82\xAC", "\xFF\xFE"}) {
    CHECK(decode_all(tokenizer, tokenizer.encode(text, Bos::prepend)) == text);
    CHECK(decode_all(tokenizer, tokenizer.encode(text, Bos::omit)) == text);
  }
}

TEST_CASE("Llama2cTokenizer: a megabyte without spaces takes no quadratic time", "[io]") {
  std::vector<Piece> pieces{{"<unk>"}, {"<s>"}, {"</s>"}, {" "}, {"a"}};
  for (int length = 2; length <= 16; length *= 2)
    pieces.push_back({std::string(std::size_t(length), 'a'), static_cast<float>(length)});
  const Llama2cTokenizer tokenizer(pieces);
  const Tokens tokens = tokenizer.encode(std::string(1 << 20, 'a'), Bos::omit);
  CHECK(tokens.size() == 1 + (1 << 20) / 16);  // a pair of long pieces is the best one at any time
}

TEST_CASE("read_llama2c_tokenizer: real files are written back byte for byte", "[io]") {
  const auto data = lrqat::test::data_folder();
  if (!data) return;
  const lrqat::test::TemporaryFolder folder;
  const std::pair<const char*, std::size_t> files[] = {{"tinyllamas/tok512.bin", 512},
                                                       {"babyllama/tok361.bin", 361},
                                                       {"babyllama/tok105.bin", 105},
                                                       {"tokenizers/llama2-tokenizer.bin", 32000}};
  for (const auto& [name, vocab_size] : files) {
    const Llama2cTokenizer tokenizer = lrqat::read_llama2c_tokenizer(*data / name, vocab_size);
    CHECK(tokenizer.vocab_size() == vocab_size);
    write_llama2c_tokenizer(folder / "copy", tokenizer);
    CHECK(read_plainly(folder / "copy") == read_plainly(*data / name));
    for (const std::size_t wrong : {vocab_size - 1, vocab_size + 1})
      CHECK_THAT(error_of([&, name = name] { lrqat::read_llama2c_tokenizer(*data / name, wrong); }),
                 Catch::Contains(name));
  }
}

TEST_CASE("read_llama2c_tokenizer: every kind of broken file is an error that says which", "[io]") {
  const lrqat::test::TemporaryFolder folder;
  const std::vector<Piece> pieces{{"<unk>"}, {"<s>"}, {"</s>"}, {"ab", 1.5f}};
  write_llama2c_tokenizer(folder / "t", Llama2cTokenizer(pieces));
  CHECK(lrqat::read_llama2c_tokenizer(folder / "t", 4).pieces() == pieces);
  const std::string good = read_plainly(folder / "t");
  const auto message = [&](const std::string& bytes, std::size_t vocab_size = 4) {
    write_plainly(folder / "t", bytes);
    const std::string text =
        error_of([&] { lrqat::read_llama2c_tokenizer(folder / "t", vocab_size); });
    CHECK_THAT(text, Catch::Contains((folder / "t").string()));
    return text;
  };
  const auto with_number = [&](std::size_t offset, auto number) {
    std::string bytes = good;
    std::memcpy(bytes.data() + offset, &number, sizeof number);
    return bytes;
  };
  CHECK_THAT(message("abc"), Catch::Contains("header"));
  CHECK_THAT(message(good.substr(0, good.size() - 1)), Catch::Contains("piece 3"));
  CHECK_THAT(message(good + "x"), Catch::Contains("1 bytes after"));
  CHECK_THAT(message(good, 3), Catch::Contains("bytes after"));
  CHECK_THAT(message(good, 5), Catch::Contains("piece 4"));
  CHECK_THAT(message(good, SIZE_MAX), Catch::Contains("do not fit"));
  CHECK_THAT(message(good, 2), Catch::Contains("bytes after"));
  CHECK_THAT(message(with_number(0, 0)), Catch::Contains("longest"));
  CHECK_THAT(message(with_number(8, -1)), Catch::Contains("length is -1"));
  CHECK_THAT(message(with_number(8, 6)), Catch::Contains("0 to 5"));
  CHECK_THAT(message(with_number(4, std::numeric_limits<float>::quiet_NaN())),
             Catch::Contains("piece 0") && Catch::Contains("nan"));
  CHECK_THAT(error_of([] { Llama2cTokenizer({{"<unk>"}, {"<s>"}}); }), Catch::Contains("2 pieces"));
}
