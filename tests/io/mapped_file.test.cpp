// SPDX-License-Identifier: MIT
// io/mapped_file.test.cpp: files as bytes in memory.
#include <lrqat/io/mapped_file.hpp>

#include "plain_files.hpp"

#include <catch2/catch.hpp>

#include <sys/stat.h>

using lrqat::MappedFile;
using lrqat::test::error_of;

TEST_CASE("MappedFile: holds the bytes of the file", "[io]") {
  const lrqat::test::TemporaryFolder folder;
  const std::string bytes("a\0b\n", 4);
  lrqat::test::write_plainly(folder / "f", bytes);
  MappedFile file(folder / "f");
  CHECK(file.text() == bytes);
  CHECK(file.bytes().size() == 4);
  CHECK(file.path() == folder / "f");

  MappedFile moved = std::move(file);
  CHECK(moved.text() == bytes);
  moved = MappedFile(folder / "f");
  CHECK(moved.text() == bytes);
}

TEST_CASE("MappedFile: an empty file is an empty span", "[io]") {
  const lrqat::test::TemporaryFolder folder;
  lrqat::test::write_plainly(folder / "empty", "");
  CHECK(MappedFile(folder / "empty").bytes().empty());
}

TEST_CASE("MappedFile: what is not a regular file is an error that names it", "[io]") {
  const lrqat::test::TemporaryFolder folder;
  const std::string missing = error_of([&] { MappedFile(folder / "nowhere"); });
  CHECK_THAT(missing, Catch::Contains("nowhere") && Catch::Contains("No such file"));
  const std::string is_folder = error_of([&] { MappedFile{folder.path()}; });
  CHECK_THAT(is_folder, Catch::Contains(folder.path().string()) && Catch::Contains("folder"));
  CHECK_THAT(error_of([] { MappedFile("/dev/zero"); }), Catch::Contains("regular"));
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  CHECK_THAT(error_of([&] { MappedFile(folder / "pipe"); }), Catch::Contains("regular"));
}
