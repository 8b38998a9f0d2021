// SPDX-License-Identifier: MIT
// tests/fuzz/plain_readers.cpp: targets for the formats without JSON.
#include "answers.hpp"
#include "targets.hpp"

#include <lrqat/io/llama2c.hpp>
#include <lrqat/io/llama2c_tokenizer.hpp>
#include <lrqat/io/npy.hpp>
#include <lrqat/io/token_stream.hpp>

#include "io/small_llama.hpp"
#include "io/small_tokenizer.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace lrqat::fuzz {

namespace {

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Tokens of the vocabulary come out, and back.
void encode_and_decode(const Tokenizer& tokenizer, std::string_view text) {
  const std::vector<Token> tokens = tokenizer.encode(text, Bos::prepend);
  must(tokens.size() <= text.size() + 2, "more tokens than bytes");
  for (const Token token : tokens)
    must(token < tokenizer.vocab_size(), "a token beyond the vocabulary");
  decode_all(tokenizer, tokens);
}

template <class Number>
void read_array(const std::filesystem::path& path, std::size_t file_size) {
  has_result([&] {
    const NpyArray<Number> array = read_npy<Number>(path);
    std::size_t count = 1;
    for (const std::size_t extent : array.shape) count *= extent;
    must(count == array.values.size(), "values do not fill the shape");
    must(count * sizeof(Number) <= file_size, "more values than the file holds");
  });
}

}  // namespace

void llama2c(std::span<const std::byte> input) {
  const std::filesystem::path path = put("model.bin", input);
  has_result([&] {
    const LlamaWeights weights = read_llama2c(path);
    detail::check_weights(weights, "what was read");
    // A version 2 file may claim any context; its rotary tables would not fit a version 0 file.
    if (weights.config.context > input.size()) return;
    write_llama2c(folder() / "again.bin", weights);
    must(test::equal(read_llama2c(folder() / "again.bin"), weights),
         "written and read, it differs");
  });
}

void llama2c_tokenizer(std::span<const std::byte> input) {
  std::uint16_t vocab_size = 0;
  if (input.size() < sizeof vocab_size) return;
  std::memcpy(&vocab_size, input.data(), sizeof vocab_size);
  const auto bytes = input.subspan(sizeof vocab_size);
  const std::filesystem::path path = put("tokenizer.bin", bytes);
  has_result([&] {
    const Llama2cTokenizer tokenizer = read_llama2c_tokenizer(path, vocab_size);
    must(tokenizer.vocab_size() == vocab_size, "another number of pieces than asked for");
    encode_and_decode(tokenizer, text_of(bytes));
    for (std::size_t token = 0; token < vocab_size; ++token)
      tokenizer.decode(tokenizer.bos(), static_cast<Token>(token));
    write_llama2c_tokenizer(folder() / "again.bin", tokenizer);
    must(read_llama2c_tokenizer(folder() / "again.bin", vocab_size).pieces() == tokenizer.pieces(),
         "written and read, it differs");
  });
}

void npy(std::span<const std::byte> input) {
  const std::filesystem::path path = put("array.npy", input);
  read_array<float>(path, input.size());
  read_array<std::int8_t>(path, input.size());
  read_array<std::uint64_t>(path, input.size());
}

void token_stream(std::span<const std::byte> input) {
  static const Llama2cTokenizer tokenizer = test::byte_tokenizer();
  const std::filesystem::path path = put("text", input);
  has_result([&] {
    const std::vector<Token> tokens = read_token_stream(path, tokenizer.vocab_size());
    must(tokens.size() * sizeof(Token) == input.size(), "tokens lost or invented");
    decode_all(tokenizer, tokens);
  });
  has_result([&] {
    tokenize_file(tokenizer, path);
    for (const std::string_view text : split_texts(text_of(input)))
      encode_and_decode(tokenizer, text);
  });
}

}  // namespace lrqat::fuzz
