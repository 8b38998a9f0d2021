// SPDX-License-Identifier: MIT
// io/npy.test.cpp: arrays from NumPy, and files that only look like them.
#include <lrqat/io/npy.hpp>

#include "npy_file.hpp"
#include "plain_files.hpp"

#include <support/data.hpp>

#include <catch2/catch.hpp>

#include <cmath>

using lrqat::read_npy;
using lrqat::test::error_of;
using lrqat::test::npy_file;
using lrqat::test::write_plainly;
using Sizes = std::vector<std::size_t>;

TEST_CASE("read_npy: real arrays of several types", "[io]") {
  const auto data = lrqat::test::data_folder();
  if (!data) return;
  const auto golden = *data / "golden";
  const auto logits = read_npy<float>(golden / "stories260K_logits.npy");
  CHECK(logits.shape == Sizes{64, 512});
  CHECK(logits.values.size() == 64 * 512);
  const auto codes = read_npy<std::int8_t>(golden / "stories260K_w4c_q.npy");
  CHECK(codes.shape == Sizes{64, 64});
  CHECK(*std::min_element(codes.values.begin(), codes.values.end()) >= -8);
  CHECK(*std::max_element(codes.values.begin(), codes.values.end()) <= 7);
  const auto tokens = read_npy<std::int32_t>(golden / "stories260K_tokens.npy");
  CHECK(tokens.shape == Sizes{65});
  CHECK(tokens.values[0] == 1);

  // The nll of each target follows from its row of logits; those are float32 of size below 32, so
  // each is off by up to 2^-20, and so is the nll to within twice that.
  const auto nll = read_npy<double>(golden / "stories260K_nll.npy");
  REQUIRE(nll.shape == Sizes{64});
  double difference = 0.0;
  for (std::size_t i = 0; i < 64; ++i) {
    double sum = 0.0;
    for (std::size_t j = 0; j < 512; ++j) sum += std::exp(double(logits.values[i * 512 + j]));
    const auto target = static_cast<std::size_t>(tokens.values[i + 1]);
    const double expected = std::log(sum) - double(logits.values[i * 512 + target]);
    difference = std::max(difference, std::abs(nll.values[i] - expected));
  }
  CHECK(difference < 0x1p-19);
}

TEST_CASE("read_npy: both formats, any order of keys, no dimensions, empty arrays", "[io]") {
  const lrqat::test::TemporaryFolder folder;
  const auto read = [&](const std::string& bytes) {
    write_plainly(folder / "a.npy", bytes);
    return read_npy<std::uint16_t>(folder / "a.npy");
  };
  const std::string two("\1\0\2\1", 4);
  for (const int format : {1, 2}) {
    const auto array = read(
        npy_file(format, "{'descr': '<u2', 'fortran_order': False, 'shape': (2,), }   \n") + two);
    CHECK(array.shape == Sizes{2});
    CHECK(array.values == std::vector<std::uint16_t>{1, 258});
  }
  const auto turned =
      read(npy_file(1, "{'shape': (2, 1), 'fortran_order': False, 'descr': '<u2'}") + two);
  CHECK(turned.shape == Sizes{2, 1});
  const std::string start = "{'descr': '<u2', 'fortran_order': False, 'shape': ";
  CHECK(read(npy_file(1, start + "()}") + two.substr(2)).values == std::vector<std::uint16_t>{258});
  CHECK(read(npy_file(1, start + "(0, 5)}")).values.empty());
}

TEST_CASE("read_npy: every kind of broken file is an error that says which", "[io]") {
  const lrqat::test::TemporaryFolder folder;
  const auto message = [&](const std::string& bytes) {
    write_plainly(folder / "a.npy", bytes);
    const std::string text = error_of([&] { read_npy<float>(folder / "a.npy"); });
    CHECK_THAT(text, Catch::Contains("a.npy"));
    return text;
  };
  const auto header = [&](const std::string& text) {
    return message(npy_file(1, text) + std::string(8, '\0'));
  };
  const std::string descr = "'descr': '<f4', ", order = "'fortran_order': False, ",
                    shape = "'shape': (2,)";
  write_plainly(folder / "a.npy",
                npy_file(1, "{" + descr + order + shape + "}") + std::string(8, '\0'));
  CHECK(read_npy<float>(folder / "a.npy").values.size() == 2);

  CHECK_THAT(message(""), Catch::Contains("no .npy"));
  CHECK_THAT(message("\x93NUMPX"), Catch::Contains("no .npy"));
  CHECK_THAT(message("\x93NUMPY\x03"), Catch::Contains("version"));
  CHECK_THAT(message(std::string("\x93NUMPY\x03\0\0\0", 10)), Catch::Contains("format 3.0"));
  CHECK_THAT(message(std::string("\x93NUMPY\1\0\xFF\xFF{", 11)), Catch::Contains("the header"));
  CHECK_THAT(header("{" + order + shape + "}"), Catch::Contains("once each"));
  CHECK_THAT(header("{" + descr + descr + shape + "}"), Catch::Contains("unexpected key descr"));
  CHECK_THAT(header("{" + descr + order + "'form': (2,)}"), Catch::Contains("unexpected key form"));
  CHECK_THAT(header("{" + descr + "'fortran_order': True, " + shape + "}"),
             Catch::Contains("row-major"));
  for (const char* dtype : {"<f8", ">f4", "<i4", "|O", ""})
    CHECK(header("{'descr': '" + std::string(dtype) + "', " + order + shape + "}") != "");
  for (const char* wrong : {"(3,)", "(2)", "(-2,)", "(2,,)", "(2", "2", "(2, 1, 2)", "(2.0,)",
                            "(99999999999999999999,)", "(4294967296, 4294967296, 2)", "(0,)"}) {
    INFO(wrong);
    CHECK(header("{" + descr + order + "'shape': " + wrong + "}") != "");
  }
  CHECK_THAT(header("{" + descr + order + shape + "} x"), Catch::Contains("nothing else"));
  CHECK_THAT(header("{" + descr + order + shape), Catch::Contains("missing"));
  CHECK_THAT(header("{'descr': '<f4"), Catch::Contains("quote"));
  std::string ones = "(";
  for (int i = 0; i < 1000; ++i) ones += "1,";
  CHECK_THAT(header("{" + descr + order + "'shape': " + ones + ")}"),
             Catch::Contains("dimensions"));
}
