// SPDX-License-Identifier: MIT
// tests/lab/full_disk.test.cpp: lrqat-lab where no larger file can be written.
#include "lab_program.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <string>
#include <thread>

#include <sys/resource.h>

using Catch::Contains;
using Catch::StartsWith;
using namespace lrqat;
using lrqat::test::Finished;
using lrqat::test::LabBench;
using lrqat::test::text_of;

namespace {

/// While it lives, processes that are started can write files of at most so many bytes.
class SmallFiles {
 public:
  explicit SmallFiles(rlim_t bytes) {
    if (::getrlimit(RLIMIT_FSIZE, &before_) != 0) throw std::runtime_error("getrlimit");
    const rlimit small{bytes, before_.rlim_max};
    if (::setrlimit(RLIMIT_FSIZE, &small) != 0) throw std::runtime_error("setrlimit");
  }
  SmallFiles(const SmallFiles&) = delete;
  SmallFiles& operator=(const SmallFiles&) = delete;
  ~SmallFiles() { ::setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

}  // namespace

TEST_CASE("lrqat-lab train: a full disk is one sentence, exit code 2, and the old checkpoint stays",
          "[lab]") {
  const auto program = lrqat::test::lab_program();
  if (!program) return;
  const LabBench bench(*program);
  const std::string train =
      "train --model model.bin --tokens train.u16 --dev dev.u16 --test test.u16 --context 32 "
      "--scheme w4-pc-q4.4-r2 --steps 100000 --batch 2 --checkpoint-every 2 --out run --resume";
  {
    const auto first = bench.start(train);
    while (first->is_running() && !std::filesystem::exists(bench / "run/checkpoint.safetensors"))
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    first->signal(SIGTERM);
    const Finished stopped = first->wait();
    CAPTURE(stopped.err);
    REQUIRE(stopped.code == 130);
  }
  const std::string checkpoint = text_of(bench / "run/checkpoint.safetensors");
  // run.json fits, the checkpoint does not.
  const rlim_t limit = 4096;
  REQUIRE(checkpoint.size() > limit);
  REQUIRE(text_of(bench / "run/run.json").size() < limit / 2);

  const auto second = [&] {
    const SmallFiles small(limit);
    return bench.start(train);
  }();
  const Finished ran = second->wait();
  CAPTURE(ran.out, ran.err);
  CHECK(ran.code == 2);
  const std::string complaint =
      ran.err.substr(std::min(ran.err.find("lrqat-lab: "), ran.err.size()));
  CHECK_THAT(complaint,
             StartsWith("lrqat-lab: ") && Contains("run/") && Contains("File too large"));
  CHECK(std::count(complaint.begin(), complaint.end(), '\n') == 1);
  CHECK((text_of(bench / "run/checkpoint.safetensors") == checkpoint));
  for (const auto& entry : std::filesystem::directory_iterator(bench / "run"))
    CHECK(entry.path().extension() != ".tmp");
}
