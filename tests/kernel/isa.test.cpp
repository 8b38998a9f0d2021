// SPDX-License-Identifier: MIT
// tests/kernel/isa.test.cpp: names, the environment's wish, and what the machine has.
#include <lrqat/kernel/isa.hpp>

#include <catch2/catch.hpp>

#include <cstdlib>
#include <string>

using lrqat::kernel::Isa;

TEST_CASE("Isa: every name is read back", "[kernel]") {
  CHECK(lrqat::kernel::machine_has(Isa::scalar));
  for (const Isa isa : lrqat::kernel::all_isas) {
    const std::string called(name(isa));
    if (lrqat::kernel::machine_has(isa))
      CHECK(lrqat::kernel::isa_named(called) == isa);
    else
      CHECK_THROWS_WITH(lrqat::kernel::isa_named(called),
                        "LRQAT_ISA: this machine lacks " + called);
  }
}

TEST_CASE("Isa: an unknown name is an error that says what is known", "[kernel]") {
  CHECK_THROWS_WITH(lrqat::kernel::isa_named("sse9"),
                    "LRQAT_ISA: unknown instruction set \"sse9\"; known are scalar, neon, "
                    "avx2, avx512");
  CHECK_THROWS_AS(lrqat::kernel::isa_named(""), lrqat::Error);
  CHECK_THROWS_AS(lrqat::kernel::isa_named("AVX2"), lrqat::Error);
}

TEST_CASE("Isa: the environment decides, otherwise the machine", "[kernel]") {
  const char* const variable = std::getenv("LRQAT_ISA");
  const std::string before = variable != nullptr ? variable : "";
  setenv("LRQAT_ISA", "scalar", 1);
  CHECK(lrqat::kernel::detail::isa_from_environment() == Isa::scalar);
  setenv("LRQAT_ISA", "none", 1);
  CHECK_THROWS_AS(lrqat::kernel::detail::isa_from_environment(), lrqat::Error);
  setenv("LRQAT_ISA", "", 1);
  CHECK(lrqat::kernel::detail::isa_from_environment() == lrqat::kernel::widest_isa());
  unsetenv("LRQAT_ISA");
  CHECK(lrqat::kernel::detail::isa_from_environment() == lrqat::kernel::widest_isa());
  if (!before.empty()) setenv("LRQAT_ISA", before.c_str(), 1);
}

TEST_CASE("Isa: set_active_isa changes active_isa", "[kernel]") {
  const Isa before = lrqat::kernel::active_isa();
  for (const Isa isa : lrqat::kernel::all_isas) {
    if (lrqat::kernel::machine_has(isa)) {
      lrqat::kernel::set_active_isa(isa);
      CHECK(lrqat::kernel::active_isa() == isa);
    } else {
      CHECK_THROWS_AS(lrqat::kernel::set_active_isa(isa), lrqat::Error);
    }
  }
  lrqat::kernel::set_active_isa(before);
}
