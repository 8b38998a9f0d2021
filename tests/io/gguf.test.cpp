// SPDX-License-Identifier: MIT
// tests/io/gguf.test.cpp: GGUF files by their bytes; every kind of bad one gives its own error.
#include <lrqat/io/gguf.hpp>

#include <lrqat/io/gguf_writer.hpp>

#include "plain_files.hpp"

#include <support/data.hpp>

#include <catch2/catch.hpp>

using Catch::Contains;
using lrqat::GgmlType;
using lrqat::GgufArray;
using lrqat::GgufFile;
using lrqat::GgufMetadata;
using lrqat::GgufTensorToWrite;
using lrqat::test::error_of;

namespace {

/// A file put together by hand.
struct Raw {
  std::string bytes = "GGUF";

  template <class T>
  Raw& number(T value) {
    lrqat::detail::append_number(bytes, value);
    return *this;
  }
  Raw& text(const std::string& value) {
    number(std::uint64_t{value.size()});
    bytes += value;
    return *this;
  }
  Raw& head(std::uint64_t tensors, std::uint64_t values, std::uint32_t version = 3) {
    return number(version).number(tensors).number(values);
  }
  /// Extents as in the file: the row's first.
  Raw& tensor(const std::string& name, std::vector<std::uint64_t> extents, std::uint32_t type,
              std::uint64_t offset) {
    text(name).number(static_cast<std::uint32_t>(extents.size()));
    for (const std::uint64_t extent : extents) number(extent);
    return number(type).number(offset);
  }
  Raw& data(std::size_t size, std::size_t alignment = 32) {
    bytes.resize((bytes.size() + alignment - 1) / alignment * alignment + size, '\0');
    return *this;
  }
};

std::string error_of_raw(const Raw& raw) {
  return error_of([&] { GgufFile(std::as_bytes(std::span(raw.bytes)), "file"); });
}

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

template <class Block>
lrqat::AlignedVector<std::byte> as_bytes(const Block& block) {
  const auto* const first = reinterpret_cast<const std::byte*>(&block);
  return {first, first + sizeof block};
}

}  // namespace

TEST_CASE("GgufFile: a file of every type of value, written and read back", "[io]") {
  const lrqat::test::TemporaryFolder folder;
  const GgufMetadata metadata{
      {"u8", std::uint8_t{200}},
      {"i8", std::int8_t{-5}},
      {"u16", std::uint16_t{60000}},
      {"i16", std::int16_t{-300}},
      {"u32", std::uint32_t{4000000000}},
      {"i32", std::int32_t{-70000}},
      {"f32", 1.5f},
      {"bool", true},
      {"text", std::string("\xC3\xA4 b")},
      {"u64", std::uint64_t{1} << 60},
      {"i64", std::int64_t{-1} * (std::int64_t{1} << 60)},
      {"f64", 0.1},
      {"texts", GgufArray{std::vector<std::string>{"", "ab", "c"}}},
      {"floats", GgufArray{std::vector<float>{1.0f, -2.0f}}},
      {"bools", GgufArray{std::vector<bool>{true, false, true}}},
      {"empty", GgufArray{std::vector<std::int32_t>{}}},
  };
  const std::vector<float> values{1, 2, 3, 4, 5, 6};
  const auto floats = [&] {
    const auto raw = std::as_bytes(std::span(values));
    return lrqat::AlignedVector<std::byte>(raw.begin(), raw.end());
  };
  const std::vector<GgufTensorToWrite> tensors{{"m", GgmlType::f32, {2, 3}, floats},
                                               {"v", GgmlType::f32, {6}, floats}};
  write_gguf(folder / "f", metadata, tensors);
  const GgufFile file(folder / "f");
  CHECK(file.metadata() == metadata);
  REQUIRE(file.tensors().size() == 2);
  CHECK(file.tensor("m").shape == std::vector<std::size_t>{2, 3});
  CHECK(file.tensor("v").begin == 32);  // 24 bytes and padding
  const auto read = file.floats("m", {2, 3});
  CHECK(std::equal(read.begin(), read.end(), values.begin(), values.end()));
  CHECK(file.integer("u8") == 200);
  CHECK_THAT(error_of([&] { file.integer("none"); }), Contains("none is missing"));
  CHECK_THAT(error_of([&] { file.integer("i8"); }), Contains("i8 is negative"));
  CHECK_THAT(error_of([&] { file.integer("text"); }), Contains("text is no integer"));
  CHECK_THAT(error_of([&] { file.find<float>("u8"); }), Contains("u8 is of another type"));
  CHECK_THAT(error_of([&] { file.find_list<float>("texts"); }), Contains("list of another type"));
  CHECK(file.find<float>("none") == nullptr);
  CHECK_THAT(error_of([&] { file.floats("m", {3, 2}); }), Contains("[2, 3]") && Contains("[3, 2]"));
  CHECK_THAT(error_of([&] { file.tensor("none"); }), Contains("no tensor none"));
}

TEST_CASE("GgufFile: the bytes of a file, one by one", "[io]") {
  Raw raw;
  raw.head(1, 1).text("k").number(std::uint32_t{8}).text("v");
  raw.tensor("t", {32, 1}, 2, 0).data(0);
  const std::size_t start = raw.bytes.size();
  raw.data(18);
  // d = -0.5 as half; codes 0 .. 15 in the low, 15 .. 0 in the high halves of the bytes.
  raw.bytes[start] = '\x00';
  raw.bytes[start + 1] = '\xB8';
  for (int j = 0; j < 16; ++j)
    raw.bytes[start + 2 + static_cast<std::size_t>(j)] = static_cast<char>(j | (15 - j) << 4);
  const GgufFile file(bytes_of(raw.bytes), "file");
  CHECK(*file.find<std::string>("k") == "v");
  const auto values = file.floats("t", {1, 32});
  for (std::size_t j = 0; j < 16; ++j) {
    CHECK(values[j] == -0.5f * (static_cast<float>(j) - 8.0f));
    CHECK(values[j + 16] == -0.5f * (7.0f - static_cast<float>(j)));
  }
  // Written again, they are the same bytes, padded.
  const lrqat::test::TemporaryFolder folder;
  const auto block = [&] {
    const auto bytes = file.bytes(file.tensor("t"));
    return lrqat::AlignedVector<std::byte>(bytes.begin(), bytes.end());
  };
  write_gguf(folder / "f", file.metadata(),
             std::vector<GgufTensorToWrite>{{"t", GgmlType::q4_0, {1, 32}, block}});
  CHECK(lrqat::test::read_plainly(folder / "f") == raw.bytes + std::string(14, '\0'));
}

TEST_CASE("Blocks: every type's weights are what its formula says", "[io]") {
  lrqat::BlockQ4_1 asymmetric;
  asymmetric.d = lrqat::half(0.375f);
  asymmetric.m = lrqat::half(-1.25f);
  lrqat::BlockQ8_0 bytes;
  bytes.d = lrqat::half(0x1p-10f);
  for (std::size_t j = 0; j < 32; ++j) {
    lrqat::detail::store_code(asymmetric, j, static_cast<int>(j * 7 % 16));
    lrqat::detail::store_code(bytes, j, static_cast<int>(j) * 8 - 128);
  }
  std::vector<float> values(32);
  lrqat::detail::dequantize_ggml(GgmlType::q4_1, as_bytes(asymmetric), values);
  for (std::size_t j = 0; j < 32; ++j)
    CHECK(values[j] == 0.375f * static_cast<float>(j * 7 % 16) - 1.25f);
  lrqat::detail::dequantize_ggml(GgmlType::q8_0, as_bytes(bytes), values);
  for (std::size_t j = 0; j < 32; ++j)
    CHECK(values[j] == 0x1p-10f * (static_cast<float>(j) * 8.0f - 128.0f));
}

TEST_CASE("GgufFile: what is wrong with a file is said", "[io]") {
  const std::uint32_t f32 = 0, string_type = 8, array_type = 9;
  CHECK_THAT(error_of_raw(Raw{"GGML"}.head(0, 0)), Contains("no GGUF"));
  CHECK_THAT(error_of_raw(Raw{}), Contains("file: ends inside the header"));
  CHECK_THAT(error_of_raw(Raw{}.head(0, 0, 2)), Contains("version 2"));
  CHECK_THAT(error_of_raw(Raw{}.head(0, 0, 0x03000000u)), Contains("big-endian"));
  CHECK_THAT(error_of_raw(Raw{}.head(UINT64_MAX, 0)), Contains("tensors do not fit"));
  CHECK_THAT(error_of_raw(Raw{}.head(0, 1u << 30)), Contains("values do not fit"));
  CHECK(error_of_raw(Raw{}.head(0, 0)).empty());

  const auto value = [&](std::uint32_t type) { return Raw{}.head(0, 1).text("key").number(type); };
  CHECK_THAT(error_of_raw(value(13).data(64)), Contains("value of key: there is no type 13"));
  CHECK_THAT(error_of_raw(value(7).number(std::uint8_t{2})), Contains("neither false nor true"));
  CHECK_THAT(error_of_raw(value(string_type).number(UINT64_MAX)), Contains("a text of 1844"));
  CHECK_THAT(error_of_raw(value(array_type).number(f32).number(UINT64_MAX)),
             Contains("elements do not fit"));
  CHECK_THAT(error_of_raw(value(array_type).number(array_type).number(std::uint64_t{0})),
             Contains("lists of lists"));
  const std::uint32_t u32_type = 4;
  Raw twice;
  twice.head(0, 2).text("key").number(u32_type).number(u32_type);
  twice.text("key").number(u32_type).number(u32_type);
  CHECK_THAT(error_of_raw(twice), Contains("key appears twice"));
  CHECK_THAT(error_of_raw(Raw{}.head(0, 1).text("").number(u32_type).number(u32_type)),
             Contains("is empty"));

  const auto tensor = [&](std::vector<std::uint64_t> extents, std::uint32_t type,
                          std::uint64_t offset, std::size_t data) {
    return error_of_raw(Raw{}.head(1, 0).tensor("t", std::move(extents), type, offset).data(data));
  };
  CHECK(tensor({4, 3}, f32, 0, 48).empty());
  CHECK(tensor({4, 3}, f32, 32, 80).empty());  // a hole before it
  CHECK_THAT(tensor({4, 3}, f32, 0, 47), Contains("tensor t: F32 of shape [3, 4]"));
  CHECK_THAT(tensor({4, 3}, f32, 16, 64), Contains("offset 16 is no multiple"));
  CHECK_THAT(tensor({4, 3}, f32, UINT64_MAX - 31, 64), Contains("is not inside"));
  CHECK_THAT(tensor({}, f32, 0, 64), Contains("has 0 dimensions"));
  CHECK_THAT(tensor({1, 1, 1, 1, 1}, f32, 0, 64), Contains("has 5 dimensions"));
  CHECK_THAT(tensor({4, 0}, f32, 0, 64), Contains("a dimension is 0"));
  CHECK_THAT(tensor({1u << 31, 1u << 31, 1u << 31}, f32, 0, 64), Contains("is not inside"));
  CHECK_THAT(tensor({48, 3}, 2, 0, 640), Contains("rows of 48") && Contains("blocks of 32"));
  CHECK_THAT(error_of_raw(Raw{}.head(1, 0).tensor("", {4}, f32, 0).data(64)), Contains("no name"));

  const auto two = [&](const char* name, std::uint64_t offset) {
    Raw raw;
    raw.head(2, 0).tensor("a", {12}, f32, 0).tensor(name, {12}, f32, offset);
    return error_of_raw(raw.data(128));
  };
  CHECK(two("b", 64).empty());
  CHECK_THAT(two("a", 64), Contains("tensor a appears twice"));
  CHECK_THAT(two("b", 32), Contains("tensor b: overlaps"));

  const auto aligned = [&](std::uint32_t alignment) {
    Raw raw;
    raw.head(1, 1).text("general.alignment").number(std::uint32_t{4}).number(alignment);
    raw.tensor("t", {4}, f32, 0);
    return error_of_raw(raw.data(16, 64));
  };
  CHECK(aligned(64).empty());
  CHECK_THAT(aligned(48), Contains("48, no power of two"));
  CHECK_THAT(aligned(0), Contains("no power of two"));
  CHECK_THAT(aligned(1u << 31), Contains("ends before the data"));
}

TEST_CASE("GgufFile: types that are not read are refused by name", "[io]") {
  const std::pair<std::uint32_t, const char*> types[] = {
      {12, "Q4_K"}, {14, "Q6_K"},  {10, "Q2_K"},    {6, "Q5_0"},          {20, "IQ4_NL"},
      {30, "BF16"}, {39, "MXFP4"}, {4, "number 4"}, {1000, "number 1000"}};
  for (const auto& [type, name] : types) {
    Raw raw;
    raw.head(1, 0).tensor("blk.0.attn_q.weight", {256, 1}, type, 0);
    CHECK_THAT(error_of_raw(raw.data(1024)),
               Contains("tensor blk.0.attn_q.weight: is of type " + std::string(name)) &&
                   Contains("Q4_0, Q4_1 and Q8_0 are read"));
  }
}

TEST_CASE("write_gguf: what cannot be stored is an error, and leaves no file", "[io]") {
  const lrqat::test::TemporaryFolder folder;
  const auto error = [&](GgufTensorToWrite tensor, const GgufMetadata& metadata = {}) {
    return error_of(
        [&] { write_gguf(folder / "f", metadata, std::vector<GgufTensorToWrite>{tensor}); });
  };
  const auto none = [] { return lrqat::AlignedVector<std::byte>(); };
  CHECK_THAT(error({"t", GgmlType::q4_0, {2, 33}, none}), Contains("cannot be stored"));
  CHECK_THAT(error({"t", GgmlType::f32, {2}, none}), Contains("cannot be 0 bytes"));
  CHECK_THAT(error({"", GgmlType::f32, {2}, none}), Contains("empty or taken"));
  CHECK_THAT(error({"t", GgmlType::f32, {2}, none}, {{"general.alignment", std::uint32_t{32}}}),
             Contains("general.alignment"));
  CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("GgufFile: a real file's vocabulary", "[io]") {
  const auto data = lrqat::test::data_folder();
  if (!data) return;
  const GgufFile file(*data / "gguf/ggml-vocab-llama-spm.gguf");
  CHECK(file.tensors().empty());
  CHECK(*file.find<std::string>("general.architecture") == "llama");
  const auto* const tokens = file.find_list<std::string>("tokenizer.ggml.tokens");
  REQUIRE(tokens != nullptr);
  CHECK(tokens->size() == 32000);
  CHECK((*tokens)[13] == "<0x0A>");
  CHECK((*tokens)[29871] == "\xE2\x96\x81");
  CHECK(file.integer("llama.context_length") > 0);
}
