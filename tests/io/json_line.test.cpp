// SPDX-License-Identifier: MIT
// io/json_line.test.cpp: whole lines, at once, in the order they were written.
#include <lrqat/io/json_line.hpp>

#include "plain_files.hpp"

#include <catch2/catch.hpp>

#include <limits>

using lrqat::JsonLineLog;
using lrqat::test::error_of;
using lrqat::test::read_plainly;

TEST_CASE("JsonLineLog: a line is in the file as soon as it was appended", "[io]") {
  const lrqat::test::TemporaryFolder folder;
  {
    JsonLineLog log(folder / "log.jsonl");
    log.append({{"step", 1}, {"loss", 1.25}});
    CHECK(read_plainly(folder / "log.jsonl") == "{\"step\":1,\"loss\":1.25}\n");
    log.append({{"text", "a\n\"b\""}, {"bad", std::numeric_limits<double>::quiet_NaN()}});
  }
  JsonLineLog(folder / "log.jsonl").append(lrqat::JsonObject::object());
  CHECK(read_plainly(folder / "log.jsonl") ==
        "{\"step\":1,\"loss\":1.25}\n{\"text\":\"a\\n\\\"b\\\"\",\"bad\":null}\n{}\n");
}

TEST_CASE("JsonLineLog: a torn last line does not tear the next one", "[io]") {
  const lrqat::test::TemporaryFolder folder;
  lrqat::test::write_plainly(folder / "log.jsonl", "{\"step\":1}\n{\"st");
  JsonLineLog(folder / "log.jsonl").append({{"step", 2}});
  CHECK(read_plainly(folder / "log.jsonl") == "{\"step\":1}\n{\"st\n{\"step\":2}\n");
}

TEST_CASE("JsonLineLog: what cannot be written is an error that names the file", "[io]") {
  const lrqat::test::TemporaryFolder folder;
  JsonLineLog log(folder / "log.jsonl");
  CHECK_THAT(error_of([&] { log.append(lrqat::JsonObject(3)); }),
             Catch::Contains("log.jsonl") && Catch::Contains("number"));
  CHECK_THAT(error_of([&] { log.append({{"text", "\xFF"}}); }), Catch::Contains("log.jsonl"));
  CHECK(read_plainly(folder / "log.jsonl").empty());
  CHECK_THAT(error_of([&] { JsonLineLog{folder.path()}; }), Catch::Contains("directory"));
  CHECK_THAT(error_of([] { JsonLineLog("/dev/full"); }), Catch::Contains("/dev/full"));
  CHECK_THAT(error_of([&] { JsonLineLog(folder / "no/such"); }), Catch::Contains("no/such"));
}
