// SPDX-License-Identifier: MIT
// io/sentencepiece.test.cpp: .model files give the same tokens as the .bin files made of them.
#include <lrqat/io/sentencepiece.hpp>

#include "plain_files.hpp"
#include "small_sentencepiece.hpp"

#include <lrqat/io/llama2c_tokenizer.hpp>
#include <lrqat/io/token_stream.hpp>
#include <support/data.hpp>

#include <catch2/catch.hpp>

using lrqat::Bos;
using lrqat::SentencePieceTokenizer;
using lrqat::Token;
using lrqat::test::error_of;

TEST_CASE("SentencePieceTokenizer: agrees with the .bin file of the same vocabulary", "[io]") {
  const auto data = lrqat::test::data_folder();
  if (!data) return;
  const SentencePieceTokenizer model(*data / "tokenizers/llama2-tokenizer.model");
  const auto bin = lrqat::read_llama2c_tokenizer(*data / "tokenizers/llama2-tokenizer.bin", 32000);
  REQUIRE(model.vocab_size() == 32000);
  CHECK(model.bos() == 1);
  const std::vector<Token> tokens = tokenize_file(model, *data / "tinystories/ts3000-dev.txt");
  CHECK((tokens == tokenize_file(bin, *data / "tinystories/ts3000-dev.txt")));
  const std::string text = "Once upon a time,\n\xC3\xA4 \xE2\x82\xAC \xF0\x9F\x99\x82";
  const auto encoded = model.encode(text, Bos::prepend);
  CHECK(encoded == bin.encode(text, Bos::prepend));
  CHECK(decode_all(model, encoded) == text);
  CHECK(decode_all(bin, encoded) == text);
  for (std::size_t token = 3; token < 32000; ++token)
    if (model.decode(5, Token(token)) != bin.decode(5, Token(token))) FAIL("token " << token);
  CHECK(model.encode("a", Bos::omit).size() == 1);
}

TEST_CASE("SentencePieceTokenizer: a vocabulary without bytes knows an unknown", "[io]") {
  const auto data = lrqat::test::data_folder();
  if (!data) return;
  const SentencePieceTokenizer model(*data / "babyllama/tok105.model");
  const auto bin = lrqat::read_llama2c_tokenizer(*data / "babyllama/tok105.bin", 105);
  const std::string text = "One day\na boy";
  CHECK(model.encode(text, Bos::prepend) == bin.encode(text, Bos::prepend));
  CHECK(decode_all(model, model.encode(text, Bos::prepend)) == "One day?a boy");
  CHECK_THAT(error_of([&] { model.decode(1, 105); }), Catch::Contains("105"));
}

TEST_CASE("SentencePieceTokenizer: its vocabulary encodes as it does", "[io]") {
  const auto data = lrqat::test::data_folder();
  if (!data) return;
  const SentencePieceTokenizer model(*data / "tokenizers/llama2-tokenizer.model");
  const auto vocabulary = model.vocabulary();
  CHECK(vocabulary.bos == 1);
  CHECK(vocabulary.eos == 2);
  CHECK(vocabulary.pieces[0].kind == lrqat::PieceKind::unknown);
  CHECK(vocabulary.pieces[13] == lrqat::Vocabulary::Piece{"<0x0A>", 0.0f, lrqat::PieceKind::byte});
  const auto own = lrqat::llama2c_tokenizer(vocabulary, "model");
  const std::string text = "Once upon a time,\n\xC3\xA4 \xE2\x82\xAC \xF0\x9F\x99\x82";
  CHECK(own.encode(text, Bos::prepend) == model.encode(text, Bos::prepend));
}

TEST_CASE("SentencePieceTokenizer: fields of its file, and bytes that are none", "[io]") {
  using lrqat::detail::proto_field;
  const std::string message(
      "\x18\x96\x01\x12\x02hi\x18\x02\x25"
      "1234",
      14);
  CHECK(proto_field(message, 3)->number == 2);  // the last of two
  CHECK(proto_field(message, 2)->bytes == "hi");
  CHECK(proto_field(message, 4)->bytes == "1234");
  CHECK_FALSE(proto_field(message, 5));
  for (std::size_t size = 0; size < message.size(); ++size)
    proto_field(message.substr(0, size), 4);  // never beyond its end
  CHECK_FALSE(proto_field(std::string(40, '\xFF'), 3));
  CHECK_FALSE(proto_field("\x12\x7Fhi", 2));
}

TEST_CASE("SentencePieceTokenizer: what is no model is an error naming the file", "[io]") {
  const lrqat::test::TemporaryFolder folder;
  for (const std::string bytes : {"", "no model", "\n\x05", "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"}) {
    lrqat::test::write_plainly(folder / "t.model", bytes);
    CHECK_THAT(error_of([&] { SentencePieceTokenizer(folder / "t.model"); }),
               Catch::Contains("t.model"));
  }
  CHECK_THAT(error_of([&] { SentencePieceTokenizer(folder / "none"); }), Catch::Contains("none"));
}

TEST_CASE("SentencePieceTokenizer: unigrams, pairs and bytes of a small model", "[io]") {
  const lrqat::test::TemporaryFolder folder;
  const std::vector<Token> unknown{1, 6, 3, 0}, as_bytes{1, 6, 3, 202, 171};
  const auto read = [&](const std::string& bytes) {
    lrqat::test::write_plainly(folder / "t.model", bytes);
    return SentencePieceTokenizer(folder / "t.model");
  };
  CHECK(read(lrqat::test::unigram_model()).encode("ab", Bos::prepend).size() == 3);
  CHECK(read(lrqat::test::bpe_model()).encode("a \xC3\xA4", Bos::prepend) == unknown);
  const SentencePieceTokenizer bytes = read(lrqat::test::byte_model());
  CHECK(bytes.encode("a \xC3\xA4", Bos::prepend) == as_bytes);
  CHECK(decode_all(bytes, as_bytes) == "a \xC3\xA4");
}

// Found by tests/fuzz: the pieces are read without complaint, and do not fit each other.
TEST_CASE("SentencePieceTokenizer: a model that cannot encode is an error naming the file",
          "[io]") {
  const lrqat::test::TemporaryFolder folder;
  using lrqat::test::PieceType;
  lrqat::test::write_plainly(folder / "t.model", lrqat::test::bpe_model(PieceType::control));
  const SentencePieceTokenizer tokenizer(folder / "t.model");
  CHECK_THAT(error_of([&] { tokenizer.encode("a b", Bos::omit); }),
             Catch::Contains("t.model: cannot encode"));
}
