// SPDX-License-Identifier: MIT
// io/atomic_file.test.cpp: a file is replaced completely or not at all.
#include <lrqat/io/atomic_file.hpp>

#include "plain_files.hpp"

#include <catch2/catch.hpp>

#include <csignal>
#include <string>

#include <sys/resource.h>
#include <sys/wait.h>

using lrqat::AtomicFile;
using lrqat::write_file;
using lrqat::test::error_of;
using lrqat::test::read_plainly;
using Names = std::vector<std::string>;

namespace {

/// Runs `body` in a child process that may write files of at most `bytes` bytes; its exit status.
template <class Body>
int in_child_with_file_limit(rlim_t bytes, const Body& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);  // then write() fails with EFBIG, as on a full disk with ENOSPC
    const rlimit limit{bytes, bytes};
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) ::_exit(99);
    ::_exit(body());
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

TEST_CASE("AtomicFile: commit replaces the file and leaves nothing beside it", "[io]") {
  const lrqat::test::TemporaryFolder folder;
  write_file(folder / "f", "old");
  AtomicFile file(folder / "f");
  file.write("new ");
  file.write("text");
  CHECK(read_plainly(folder / "f") == "old");
  file.commit();
  CHECK(read_plainly(folder / "f") == "new text");
  CHECK(folder.names() == Names{"f"});
  CHECK(error_of([&] { file.commit(); }) != "");
  CHECK(error_of([&] { file.write("more"); }) != "");
}

TEST_CASE("AtomicFile: without commit the old file stays", "[io]") {
  const lrqat::test::TemporaryFolder folder;
  write_file(folder / "f", "old");
  {
    AtomicFile file(folder / "f");
    file.write("half of the n");
  }
  CHECK(read_plainly(folder / "f") == "old");
  CHECK(folder.names() == Names{"f"});
}

TEST_CASE("AtomicFile: a disk that fills up harms nothing", "[io]") {
  const lrqat::test::TemporaryFolder folder;
  const std::string large(100000, 'x');
  for (const bool has_old : {true, false}) {
    const Names before = has_old ? Names{"f"} : Names{};
    std::filesystem::remove(folder / "f");
    if (has_old) write_file(folder / "f", "old");
    const int status = in_child_with_file_limit(4096, [&] {
      const std::string message = error_of([&] { write_file(folder / "f", large); });
      const bool names_all = message.find((folder / "f").string()) != std::string::npos &&
                             message.find("too large") != std::string::npos;
      return names_all && folder.names() == before ? 7 : 1;
    });
    CHECK(status == 7);
    CHECK(folder.names() == before);
    if (has_old) CHECK(read_plainly(folder / "f") == "old");
  }
}

TEST_CASE("AtomicFile: what a killed writer left is reused", "[io]") {
  const lrqat::test::TemporaryFolder folder;
  write_file(folder / "f", "old");
  const pid_t child = ::fork();
  if (child == 0) {
    AtomicFile file(folder / "f");
    file.write(std::string(1000, 'x'));
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK(WIFSIGNALED(status));
  CHECK(read_plainly(folder / "f") == "old");
  CHECK(folder.names() == Names{".f.tmp", "f"});
  write_file(folder / "f", "new");
  CHECK(read_plainly(folder / "f") == "new");
  CHECK(folder.names() == Names{"f"});
}

TEST_CASE("AtomicFile: a second writer at the same time is an error", "[io]") {
  const lrqat::test::TemporaryFolder folder;
  AtomicFile first(folder / "f");
  CHECK_THAT(error_of([&] { AtomicFile second(folder / "f"); }), Catch::Contains("somebody else"));
  first.write("first");
  first.commit();
  write_file(folder / "f", "second");  // `first` still exists, but its lock went with the file
  CHECK(read_plainly(folder / "f") == "second");
}

TEST_CASE("AtomicFile: follows links and keeps permissions", "[io]") {
  const lrqat::test::TemporaryFolder folder;
  write_file(folder / "real", "old");
  ::chmod((folder / "real").c_str(), 0640);
  std::filesystem::create_symlink("real", folder / "link");
  write_file(folder / "link", "new");
  CHECK(std::filesystem::is_symlink(folder / "link"));
  CHECK(read_plainly(folder / "real") == "new");
  struct stat status {};
  REQUIRE(::stat((folder / "real").c_str(), &status) == 0);
  CHECK((status.st_mode & 07777u) == 0640);
  std::filesystem::create_symlink("nowhere", folder / "dangling");
  CHECK_THAT(error_of([&] { write_file(folder / "dangling", ""); }), Catch::Contains("dangling"));
}

TEST_CASE("AtomicFile: targets that cannot be files are errors that name them", "[io]") {
  const lrqat::test::TemporaryFolder folder;
  CHECK_THAT(error_of([&] { write_file(folder.path(), "x"); }), Catch::Contains("regular"));
  CHECK_THAT(error_of([] { write_file("/dev/full", "x"); }), Catch::Contains("/dev/full"));
  CHECK_THAT(error_of([&] { write_file(folder / "no/such/f", "x"); }),
             Catch::Contains("no/such") && Catch::Contains("No such file"));
  CHECK(error_of([&] { write_file(folder / "f/", "x"); }) != "");
  CHECK(folder.names().empty());
}
