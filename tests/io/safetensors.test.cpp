// SPDX-License-Identifier: MIT
// io/safetensors.test.cpp: good files round trip; every kind of bad one gives its own error.
#include <lrqat/io/safetensors.hpp>

#include "plain_files.hpp"

#include <support/data.hpp>

#include <catch2/catch.hpp>

#include <limits>

using lrqat::SafetensorsFile;
using lrqat::TensorToWrite;
using lrqat::test::error_of;

namespace {

template <class T>
std::span<const std::byte> bytes_of(const std::vector<T>& values) {
  return std::as_bytes(std::span(values));
}

/// A file of this header and this many data bytes.
std::string raw_file(const std::string& header, std::size_t data_bytes) {
  std::string bytes;
  lrqat::detail::append_number(bytes, std::uint64_t{header.size()});
  return bytes + header + std::string(data_bytes, '\0');
}

/// One tensor entry.
std::string entry(const std::string& name, const std::string& dtype, const std::string& shape,
                  const std::string& range) {
  return "\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape +
         ",\"data_offsets\":" + range + "}";
}

}  // namespace

TEST_CASE("write_safetensors: what was written is read back", "[io]") {
  const lrqat::test::TemporaryFolder folder;
  const std::vector<float> weights{1.5f, -2.0f, 0.0f, 3.0f, 4.0f, 5.0f};
  const std::vector<std::uint8_t> codes{1, 2, 3};
  const std::vector<std::uint64_t> step{123456789012345};
  const std::vector<TensorToWrite> tensors{
      {"codes", "U8", {3}, bytes_of(codes)},
      {"layer.weight", "F32", {2, 3}, bytes_of(weights)},
      {"step", "U64", {}, bytes_of(step)},
      {"nothing", "F32", {0, 5}, {}},
  };
  write_safetensors(folder / "t", tensors, {{"format", "pt"}, {"note", "\xC3\xA4\n\""}});

  const SafetensorsFile file(folder / "t");
  CHECK(file.names() == std::vector<std::string>{"codes", "layer.weight", "nothing", "step"});
  CHECK(file.metadata().at("note") == "\xC3\xA4\n\"");
  CHECK(file.metadata().size() == 2);
  CHECK(file.at("layer.weight").shape == std::vector<std::size_t>{2, 3});
  CHECK(file.at("step").shape.empty());
  const auto read = file.floats("layer.weight", {2, 3});
  CHECK(std::equal(read.begin(), read.end(), weights.begin(), weights.end()));
  CHECK(file.floats("nothing", {0, 5}).empty());
  CHECK(std::to_integer<int>(file.bytes("codes")[2]) == 3);
  CHECK(file.contains("step"));
  CHECK_FALSE(file.contains("missing"));
  CHECK_THAT(error_of([&] { file.bytes("missing"); }),
             Catch::Contains("missing") && Catch::Contains((folder / "t").string()));
  for (const char* name : {"codes", "layer.weight", "step"}) {
    const auto address = reinterpret_cast<std::uintptr_t>(file.bytes(name).data());
    CHECK(address % lrqat::detail::dtype_size(file.at(name).dtype) == 0);
  }

  write_safetensors(folder / "again", tensors, {{"format", "pt"}, {"note", "\xC3\xA4\n\""}});
  CHECK(lrqat::test::read_plainly(folder / "t") == lrqat::test::read_plainly(folder / "again"));
}

TEST_CASE("SafetensorsFile: F16 and BF16 widen to the floats they stand for", "[io]") {
  const lrqat::test::TemporaryFolder folder;
  const std::vector<float> exact{1.0f, -0.5f, 96.0f, 0x1p-14f};  // exact in both
  std::vector<lrqat::half> as_half;
  std::vector<lrqat::bf16> as_bf16;
  for (const float value : exact) {
    as_half.emplace_back(value);
    as_bf16.emplace_back(value);
  }
  // One byte of another tensor first: a mapped file promises no alignment.
  const std::string header = "{" + entry("a", "U8", "[1]", "[0,1]") + "," +
                             entry("h", "F16", "[2,2]", "[1,9]") + "," +
                             entry("b", "BF16", "[4]", "[9,17]") + "}   ";
  std::string bytes = raw_file(header, 1);
  bytes.append(reinterpret_cast<const char*>(as_half.data()), 8);
  bytes.append(reinterpret_cast<const char*>(as_bf16.data()), 8);
  lrqat::test::write_plainly(folder / "t", bytes);
  const SafetensorsFile file(folder / "t");
  const auto from_half = file.floats("h", {2, 2}), from_bf16 = file.floats("b", {4});
  CHECK(std::equal(exact.begin(), exact.end(), from_half.begin()));
  CHECK(std::equal(exact.begin(), exact.end(), from_bf16.begin()));
}

TEST_CASE("SafetensorsFile: a wrong shape, dtype or value names file, tensor and numbers", "[io]") {
  const lrqat::test::TemporaryFolder folder;
  std::vector<float> weights(6, 1.0f);
  weights[4] = std::numeric_limits<float>::quiet_NaN();
  const std::vector<lrqat::half> halves{lrqat::half(1.0f), lrqat::half(1e9f)};
  const std::vector<std::int32_t> ints{1, 2};
  write_safetensors(folder / "t", std::vector<TensorToWrite>{
                                      {"w", "F32", {2, 3}, bytes_of(weights)},
                                      {"h", "F16", {2}, bytes_of(halves)},
                                      {"i", "I32", {2}, bytes_of(ints)},
                                  });
  const SafetensorsFile file(folder / "t");
  CHECK_THAT(error_of([&] {
               file.floats("w", {3, 2});
             }),
             Catch::Contains((folder / "t").string()) && Catch::Contains("tensor w") &&
                 Catch::Contains("[2, 3]") && Catch::Contains("[3, 2]"));
  CHECK_THAT(error_of([&] {
               file.floats("w", {2, 3});
             }),
             Catch::Contains("tensor w") && Catch::Contains("element 4 is nan"));
  CHECK_THAT(error_of([&] { file.floats("h", {2}); }),
             Catch::Contains("tensor h") && Catch::Contains("element 1 is inf"));
  CHECK_THAT(error_of([&] { file.floats("i", {2}); }), Catch::Contains("I32"));
}

TEST_CASE("SafetensorsFile: every kind of broken header is an error that says which", "[io]") {
  const lrqat::test::TemporaryFolder folder;
  const auto message = [&](const std::string& bytes) {
    lrqat::test::write_plainly(folder / "t", bytes);
    const std::string text = error_of([&] { SafetensorsFile(folder / "t"); });
    CHECK_THAT(text, Catch::Contains((folder / "t").string()));
    return text;
  };
  const auto header = [&](const std::string& text, std::size_t data_bytes) {
    return message(raw_file(text, data_bytes));
  };
  const std::string good = entry("a", "F32", "[2]", "[0,8]");
  lrqat::test::write_plainly(folder / "t", raw_file("{" + good + "}", 8));
  CHECK(SafetensorsFile(folder / "t").names().size() == 1);

  CHECK_THAT(message(""), Catch::Contains("header length"));
  CHECK_THAT(message("1234567"), Catch::Contains("header length"));
  CHECK_THAT(message(std::string("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF{}", 10)),
             Catch::Contains("18446744073709551615"));
  CHECK_THAT(header("", 0), Catch::Contains("JSON"));
  CHECK_THAT(header("[]", 0), Catch::Contains("array"));
  CHECK_THAT(header("{" + good, 8), Catch::Contains("JSON"));
  CHECK_THAT(header("{" + good + "}}", 8), Catch::Contains("JSON"));
  CHECK_THAT(header("{\"\xFF\":1}", 8), Catch::Contains("JSON"));
  CHECK_THAT(header("{" + good + "," + good + "}", 8), Catch::Contains("twice"));
  CHECK_THAT(header("{\"a\":3}", 8), Catch::Contains("not an object"));
  CHECK_THAT(header("{\"a\":{}}", 8), Catch::Contains("dtype"));
  CHECK_THAT(header("{" + entry("a", "F31", "[2]", "[0,8]") + "}", 8), Catch::Contains("F31"));
  CHECK_THAT(header("{" + entry("a", "F32", "2", "[0,8]") + "}", 8), Catch::Contains("shape"));
  CHECK_THAT(header("{" + entry("a", "F32", "[-2]", "[0,8]") + "}", 8), Catch::Contains("shape"));
  CHECK_THAT(header("{" + entry("a", "F32", "[2.0]", "[0,8]") + "}", 8), Catch::Contains("shape"));
  CHECK_THAT(header("{" + entry("a", "F32", "[3]", "[0,8]") + "}", 8),
             Catch::Contains("[3]") && Catch::Contains("8 bytes"));
  CHECK_THAT(header("{" + entry("a", "F32", "[4294967296,4294967296,2]", "[0,8]") + "}", 8),
             Catch::Contains("does not fill"));
  CHECK_THAT(header("{" + entry("a", "F32", "[2]", "[8,0]") + "}", 8), Catch::Contains("[8, 0]"));
  CHECK_THAT(header("{" + entry("a", "F32", "[2]", "[0,8,9]") + "}", 8), Catch::Contains("range"));
  CHECK_THAT(header("{" + good + "}", 7), Catch::Contains("7 bytes of data"));
  CHECK_THAT(header("{" + good + "}", 9), Catch::Contains("1 bytes after"));
  CHECK_THAT(header("{" + good + "," + entry("b", "F32", "[2]", "[4,12]") + "}", 12),
             Catch::Contains("overlaps"));
  CHECK_THAT(header("{" + good + "," + entry("b", "F32", "[2]", "[12,20]") + "}", 20),
             Catch::Contains("hole"));
  CHECK_THAT(header("{\"__metadata__\":{\"a\":1}}", 0), Catch::Contains("not a string"));
  CHECK_THAT(header("{\"__metadata__\":1}", 0), Catch::Contains("__metadata__"));
  CHECK_THAT(header("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8],\"x\":1}}", 8),
             Catch::Contains("unknown key x"));
  CHECK_THAT(header(std::string(3000000, '['), 0), Catch::Contains("nested deeper"));
  std::string objects;
  for (int i = 0; i < 100000; ++i) objects += "{\"a\":";
  CHECK_THAT(header(objects, 0), Catch::Contains("nested deeper"));
  std::string ones = "{\"a\":[1";
  for (int i = 0; i < 1000000; ++i) ones += ",1";
  CHECK_THAT(header(ones + "]}", 0), Catch::Contains("more than 65536"));
}

TEST_CASE("write_safetensors: what cannot be stored is an error and leaves no file", "[io]") {
  const lrqat::test::TemporaryFolder folder;
  const std::vector<float> two{1.0f, 2.0f};
  const auto error_writing = [&](std::vector<TensorToWrite> tensors) {
    return error_of([&] { write_safetensors(folder / "t", tensors); });
  };
  const TensorToWrite good{"a", "F32", {2}, bytes_of(two)};
  CHECK_THAT(error_writing({good, good}), Catch::Contains("taken"));
  CHECK_THAT(error_writing({{"a", "F32", {3}, bytes_of(two)}}), Catch::Contains("[3]"));
  CHECK_THAT(error_writing({{"a", "Q4", {2}, bytes_of(two)}}), Catch::Contains("Q4"));
  CHECK_THAT(error_writing({{"__metadata__", "F32", {2}, bytes_of(two)}}),
             Catch::Contains("taken"));
  CHECK_THAT(error_writing({{"\xFF", "F32", {2}, bytes_of(two)}}), Catch::Contains("UTF-8"));
  CHECK(folder.names().empty());
}

TEST_CASE("SafetensorsFile: reads a real checkpoint", "[io]") {
  const auto data = lrqat::test::data_folder();
  if (!data) return;
  const SafetensorsFile file(*data / "hf/stories260K/model.safetensors");
  CHECK(file.names().size() == 47);  // 5 blocks of 9, embedding, final norm
  CHECK(file.floats("model.embed_tokens.weight", {512, 64}).size() == 512 * 64);
}
