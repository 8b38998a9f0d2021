// SPDX-License-Identifier: MIT
// tests/backend/cpu.test.cpp: Cpu against Reference.
#include <lrqat/backend/cpu.hpp>

#include <backend/checks.hpp>

namespace lrqat::test {

TEST_CASE("Cpu: as Reference over awkward shapes", "[backend]") { check_as_reference<Cpu>(); }

TEST_CASE("Cpu: the same bits for any number of threads", "[backend]") {
  check_any_number_of_threads<Cpu>();
}

TEST_CASE("Cpu: integers are the same on every instruction set, and so are the passes' bits",
          "[backend]") {
  check_every_instruction_set<Cpu>();
}

TEST_CASE("Cpu: views with a stride are read and written in place", "[backend]") {
  check_strides<Cpu>();
}

TEST_CASE("Backends: backward adds to gradients and overwrites grad_x", "[backend]") {
  check_accumulation<Cpu>();
  check_accumulation<Reference>();
}

}  // namespace lrqat::test
