// SPDX-License-Identifier: MIT
// io/llama2c.test.cpp: real and small checkpoints of both versions, and every broken header.
#include <lrqat/io/llama2c.hpp>

#include "llama2c_int8.hpp"
#include "small_llama.hpp"
#include "plain_files.hpp"

#include <support/data.hpp>

#include <catch2/catch.hpp>

#include <cstring>
#include <limits>

using lrqat::LlamaConfig;
using lrqat::LlamaWeights;
using lrqat::read_llama2c;
using lrqat::write_llama2c;
using lrqat::test::error_of;
using lrqat::test::read_plainly;
using lrqat::test::small_llama;
using lrqat::test::write_plainly;

namespace {

/// Replaces the number at a byte offset.
template <class Number>
std::string with_number(std::string bytes, std::size_t offset, Number number) {
  std::memcpy(bytes.data() + offset, &number, sizeof number);
  return bytes;
}

/// How far code * scale may be from the weight: half a scale, which is at most largest / 127 for
/// the largest |weight| of the group; the factor covers the roundings of the two float products.
void check_int8_error(const LlamaWeights& exact, const LlamaWeights& rounded,
                      std::size_t group_size) {
  lrqat::test::visit_pairs(exact, rounded, [&](const auto& w, const auto& q, const auto& name) {
    INFO(name);
    REQUIRE(w.size() == q.size());
    if (std::string(name).find("norm") != std::string::npos) {
      CHECK(w == q);
      return;
    }
    std::size_t misses = 0;
    for (std::size_t group = 0; group < w.size(); group += group_size) {
      float largest = 0.0f;
      for (std::size_t i = group; i < group + group_size; ++i)
        largest = std::max(largest, std::abs(w[i]));
      for (std::size_t i = group; i < group + group_size; ++i)
        misses += std::abs(w[i] - q[i]) > largest / 254.0f * 1.0001f ? 1 : 0;
    }
    CHECK(misses == 0);
  });
}

}  // namespace

TEST_CASE("read_llama2c: a real checkpoint has its published dimensions", "[io]") {
  const auto data = lrqat::test::data_folder();
  if (!data) return;
  const LlamaWeights weights = read_llama2c(*data / "tinyllamas/stories260K.bin");
  CHECK(weights.config == LlamaConfig{.dim = 64,
                                      .hidden_dim = 172,
                                      .layers = 5,
                                      .heads = 8,
                                      .kv_heads = 4,
                                      .head_dim = 8,
                                      .vocab = 512,
                                      .context = 512});
  CHECK(weights.blocks.size() == 5);
  CHECK(weights.head.empty());
  const LlamaWeights other = read_llama2c(*data / "babyllama/babyllama-tok361.bin");
  CHECK(other.config.vocab == 361);
  CHECK(other.config.context == 256);
}

TEST_CASE("read_llama2c: the int8 file of a real checkpoint is the float one, rounded", "[io]") {
  const auto data = lrqat::test::data_folder();
  if (!data) return;
  const LlamaWeights exact = read_llama2c(*data / "tinyllamas/stories260K.bin");
  const LlamaWeights rounded = read_llama2c(*data / "tinyllamas/stories260K-q8.bin");
  CHECK(exact.config == rounded.config);
  check_int8_error(exact, rounded, 8);
}

TEST_CASE("write_llama2c: a real checkpoint is written back byte for byte", "[io]") {
  const auto data = lrqat::test::data_folder();
  if (!data) return;
  const lrqat::test::TemporaryFolder folder;
  const LlamaWeights weights = read_llama2c(*data / "tinyllamas/stories260K.bin");
  write_llama2c(folder / "copy", weights);
  CHECK(lrqat::test::equal(read_llama2c(folder / "copy"), weights));
  // The rotary tables at the end were computed elsewhere: equal but for the last bits. Their
  // angles reach 512, where a float32 angle is off by up to 512 * 2^-24 = 3.1e-5.
  const std::string original = read_plainly(*data / "tinyllamas/stories260K.bin");
  const std::string copy = read_plainly(folder / "copy");
  const std::size_t tables = std::size_t{512} * 8 * sizeof(float);
  REQUIRE(original.size() == copy.size());
  CHECK(original.substr(0, original.size() - tables) == copy.substr(0, copy.size() - tables));
  float difference = 0.0f;
  for (std::size_t at = original.size() - tables; at < original.size(); at += sizeof(float)) {
    float a = 0.0f, b = 0.0f;
    std::memcpy(&a, original.data() + at, sizeof a);
    std::memcpy(&b, copy.data() + at, sizeof b);
    difference = std::max(difference, std::abs(a - b));
  }
  CHECK(difference < 4e-5f);
}

TEST_CASE("write_llama2c: shared and own heads round trip", "[io]") {
  const lrqat::test::TemporaryFolder folder;
  for (const bool tied_head : {true, false}) {
    const LlamaWeights weights = small_llama(tied_head);
    write_llama2c(folder / "m", weights);
    CHECK(lrqat::test::equal(read_llama2c(folder / "m"), weights));
  }
}

TEST_CASE("read_llama2c: int8 with shared and own heads, several group sizes", "[io]") {
  const lrqat::test::TemporaryFolder folder;
  for (const bool tied_head : {true, false}) {
    const LlamaWeights weights = small_llama(tied_head);
    for (const std::size_t group_size : {1u, 2u, 4u, 8u}) {
      write_plainly(folder / "q", lrqat::test::llama2c_int8(weights, group_size));
      const LlamaWeights rounded = read_llama2c(folder / "q");
      CHECK(rounded.config == weights.config);
      check_int8_error(weights, rounded, group_size);
    }
  }
}

TEST_CASE("write_llama2c: what the format cannot hold is an error", "[io]") {
  const lrqat::test::TemporaryFolder folder;
  const auto error_after = [&](auto change) {
    LlamaWeights weights = small_llama(true);
    change(weights);
    return error_of([&] { write_llama2c(folder / "m", weights); });
  };
  CHECK_THAT(error_after([](auto& w) { w.config.rope_theta = 5e5f; }), Catch::Contains("500000"));
  CHECK_THAT(error_after([](auto& w) { w.config.rope_scaling = lrqat::LinearRopeScaling{2.0f}; }),
             Catch::Contains("rotary scaling"));
  CHECK_THAT(error_after([](auto& w) { w.config.norm_eps = 1e-6f; }), Catch::Contains("epsilon"));
  CHECK_THAT(error_after([](auto& w) { w.embedding.pop_back(); }),
             Catch::Contains("embedding") && Catch::Contains("47") && Catch::Contains("48"));
  CHECK_THAT(error_after([](auto& w) { w.blocks.pop_back(); }), Catch::Contains("1 blocks"));
  CHECK_THAT(error_after([](auto& w) { w.config.tied_head = false; }), Catch::Contains("head"));
  CHECK_THAT(
      error_after([](auto& w) { w.blocks[1].gate[3] = std::numeric_limits<float>::infinity(); }),
      Catch::Contains("blocks.1.gate") && Catch::Contains("element 3 is inf"));
  CHECK(folder.names().empty());
}

TEST_CASE("read_llama2c: every kind of broken file is an error that says which", "[io]") {
  const lrqat::test::TemporaryFolder folder;
  write_llama2c(folder / "m", small_llama(false));
  const std::string good = read_plainly(folder / "m");
  const auto message = [&](const std::string& bytes) {
    write_plainly(folder / "m", bytes);
    const std::string text = error_of([&] { read_llama2c(folder / "m"); });
    CHECK_THAT(text, Catch::Contains((folder / "m").string()));
    return text;
  };
  CHECK_THAT(message(""), Catch::Contains("header"));
  CHECK_THAT(message(good.substr(0, 20)), Catch::Contains("header"));
  CHECK_THAT(message(good.substr(0, good.size() - 1)), Catch::Contains("the file has"));
  CHECK_THAT(message(good + "x"), Catch::Contains("the file has"));
  for (std::size_t number = 0; number < 7; ++number) {
    CHECK(message(with_number(good, 4 * number, std::int32_t{0})) != "");
    CHECK(message(with_number(good, 4 * number, INT32_MAX)) != "");
    CHECK(message(with_number(good, 4 * number, INT32_MIN)) != "");
  }
  CHECK_THAT(message(with_number(good, 12, 3)), Catch::Contains("multiple of 3 heads"));
  CHECK_THAT(message(with_number(good, 16, 3)), Catch::Contains("3 kv heads"));
  CHECK_THAT(message(with_number(good, 12, 8)), Catch::Contains("odd"));
  std::string enormous = good;  // all but the vocabulary at their largest: every product overflows
  for (const std::size_t number : {0u, 1u, 2u, 6u})
    enormous = with_number(enormous, 4 * number, std::int32_t{1 << 30});
  CHECK_THAT(message(enormous), Catch::Contains("the file has"));
  const float nan = std::numeric_limits<float>::quiet_NaN();
  CHECK_THAT(message(with_number(good, 28 + 4 * 5, nan)),
             Catch::Contains("embedding") && Catch::Contains("element 5 is nan"));
  CHECK_THAT(message(with_number(good, good.size() - 4, nan)),
             Catch::Contains("head") && Catch::Contains("element 47 is nan"));
}

TEST_CASE("read_llama2c: every kind of broken int8 file is an error that says which", "[io]") {
  const lrqat::test::TemporaryFolder folder;
  const std::string good = lrqat::test::llama2c_int8(small_llama(true), 8);
  const auto message = [&](const std::string& bytes) {
    write_plainly(folder / "q", bytes);
    const std::string text = error_of([&] { read_llama2c(folder / "q"); });
    CHECK_THAT(text, Catch::Contains((folder / "q").string()));
    return text;
  };
  CHECK_THAT(message(with_number(good, 4, 1)), Catch::Contains("version 1"));
  CHECK_THAT(message(with_number(good, 4, 3)), Catch::Contains("version 3"));
  CHECK_THAT(message(with_number(good, 28, -6)), Catch::Contains("negative"));
  CHECK_THAT(message(with_number(good, 36, std::uint8_t{2})), Catch::Contains("flag"));
  CHECK_THAT(message(with_number(good, 37, 0)), Catch::Contains("group size is 0"));
  CHECK_THAT(message(with_number(good, 37, -1)), Catch::Contains("group size is -1"));
  CHECK_THAT(message(with_number(good, 41, 'x')), Catch::Contains("padding"));
  CHECK_THAT(message(good + '\0'), Catch::Contains("the file has"));
  CHECK_THAT(message(good.substr(0, good.size() - 1)), Catch::Contains("the file has"));
  CHECK_THAT(message(good.substr(0, 100)), Catch::Contains("header"));
  // Groups of 16 do not divide the 40 numbers of gate; the file's size fits all the same.
  CHECK_THAT(message(lrqat::test::llama2c_int8(small_llama(true), 16)),
             Catch::Contains("no multiple of the group size 16"));
  const float infinity = std::numeric_limits<float>::infinity();
  CHECK_THAT(message(with_number(good, good.size() - 4, infinity)), Catch::Contains("blocks.1.up"));
}
