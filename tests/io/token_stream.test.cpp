// SPDX-License-Identifier: MIT
// io/token_stream.test.cpp: texts become exactly the token files that belong to them.
#include <lrqat/io/token_stream.hpp>

#include "small_tokenizer.hpp"
#include "plain_files.hpp"

#include <lrqat/io/llama2c_tokenizer.hpp>
#include <support/data.hpp>

#include <catch2/catch.hpp>

using lrqat::read_token_stream;
using lrqat::split_texts;
using lrqat::Token;
using lrqat::test::error_of;
using Texts = std::vector<std::string_view>;

TEST_CASE("tokenize_file: real stories become the real token streams", "[io]") {
  const auto data = lrqat::test::data_folder();
  if (!data) return;
  struct Model {
    const char *name, *tokenizer;
    std::size_t vocab_size;
  };
  for (const Model& model : {Model{"stories260K", "tinyllamas/tok512.bin", 512},
                             Model{"babyllama-tok361", "babyllama/tok361.bin", 361}}) {
    const auto tokenizer = lrqat::read_llama2c_tokenizer(*data / model.tokenizer, model.vocab_size);
    for (const std::string split :
         {"ts3000-train", "ts3000-dev", "ts3000-test", "valid-head", "train-head"}) {
      INFO(model.name << " " << split);
      const auto text = *data / "tinystories" / (split + ".txt");
      const auto stream = *data / "tokens" / model.name / (split + ".u16");
      const std::vector<Token> tokens = tokenize_file(tokenizer, text);
      CHECK((tokens == read_token_stream(stream, model.vocab_size)));
    }
  }
}

TEST_CASE("split_texts: lines of <|endoftext|> separate, and nothing else does", "[io]") {
  CHECK(split_texts("").empty());
  CHECK(split_texts("\n").empty());
  CHECK(split_texts("a") == Texts{"a"});
  CHECK(split_texts("a\n") == Texts{"a"});
  CHECK(split_texts("a\nb\n<|endoftext|>\nc\n") == Texts{"a\nb", "c"});
  CHECK(split_texts("a\n<|endoftext|>") == Texts{"a"});
  CHECK(split_texts("a\n<|endoftext|>\n") == Texts{"a"});
  CHECK(split_texts("<|endoftext|>\n<|endoftext|>\na\n\n") == Texts{"a\n"});
  CHECK(split_texts("a<|endoftext|>\n <|endoftext|>") == Texts{"a<|endoftext|>\n <|endoftext|>"});
}

TEST_CASE("tokenize: the beginning of every text is marked", "[io]") {
  const auto tokens = tokenize(lrqat::test::byte_tokenizer(), "a\n<|endoftext|>\naa\n");
  CHECK(tokens == std::vector<Token>{1, 261, 1, 261, 260});
}

TEST_CASE("read_token_stream: round trip, and errors with positions", "[io]") {
  const lrqat::test::TemporaryFolder folder;
  const std::vector<Token> tokens{1, 511, 0, 65535};
  lrqat::write_token_stream(folder / "t.u16", tokens);
  CHECK(lrqat::test::read_plainly(folder / "t.u16") == std::string("\1\0\xFF\1\0\0\xFF\xFF", 8));
  CHECK(read_token_stream(folder / "t.u16", 65536) == tokens);
  CHECK_THAT(error_of([&] { read_token_stream(folder / "t.u16", 512); }),
             Catch::Contains("t.u16") && Catch::Contains("token 3 is 65535"));
  lrqat::test::write_plainly(folder / "odd.u16", "abc");
  CHECK_THAT(error_of([&] { read_token_stream(folder / "odd.u16", 512); }),
             Catch::Contains("odd.u16") && Catch::Contains("3 bytes"));
  lrqat::test::write_plainly(folder / "empty.u16", "");
  CHECK(read_token_stream(folder / "empty.u16", 512).empty());
}
