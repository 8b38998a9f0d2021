// SPDX-License-Identifier: MIT
// tests/kernel/isa.test.cpp: names, the environment's wish, and what the machine has.
#include <lrqat/kernel/isa.hpp>

#include <catch2/catch.hpp>

#include <cstdlib>
#include <string>

using lrqat::kernel::Isa;
using lrqat::kernel::IsaChoice;
using lrqat::kernel::TileUnit;

TEST_CASE("Isa: every name is read back", "[kernel]") {
  CHECK(lrqat::kernel::machine_has(Isa::scalar));
  for (const Isa isa : lrqat::kernel::all_isas) {
    const std::string called(name(isa));
    if (lrqat::kernel::machine_has(isa))
      CHECK(lrqat::kernel::isa_named(called) == IsaChoice{isa, TileUnit::left_out});
    else
      CHECK_THROWS_WITH(lrqat::kernel::isa_named(called),
                        "LRQAT_ISA: this machine lacks " + called);
  }
}

TEST_CASE("Isa: amx is avx512 with the tile unit, or an error that names it", "[kernel]") {
  if (lrqat::kernel::machine_has_amx()) {
    CHECK(lrqat::kernel::isa_named("amx") == IsaChoice{Isa::avx512, TileUnit::allowed});
    CHECK(lrqat::kernel::machine_has(Isa::avx512));
  } else {
    CHECK_THROWS_WITH(lrqat::kernel::isa_named("amx"), "LRQAT_ISA: this machine lacks amx");
  }
}

TEST_CASE("Isa: an unknown name is an error that says what is known", "[kernel]") {
  CHECK_THROWS_WITH(lrqat::kernel::isa_named("sse9"),
                    "LRQAT_ISA: unknown instruction set \"sse9\"; known are scalar, neon, "
                    "avx2, avx512, amx");
  CHECK_THROWS_AS(lrqat::kernel::isa_named(""), lrqat::Error);
  CHECK_THROWS_AS(lrqat::kernel::isa_named("AVX2"), lrqat::Error);
}

TEST_CASE("Isa: the environment decides, otherwise the machine", "[kernel]") {
  const char* const variable = std::getenv("LRQAT_ISA");
  const std::string before = variable != nullptr ? variable : "";
  const auto of_environment = lrqat::kernel::detail::isa_from_environment;
  const IsaChoice widest{lrqat::kernel::widest_isa(), TileUnit::allowed};
  setenv("LRQAT_ISA", "scalar", 1);
  CHECK(of_environment() == IsaChoice{Isa::scalar, TileUnit::left_out});
  setenv("LRQAT_ISA", "none", 1);
  CHECK_THROWS_AS(of_environment(), lrqat::Error);
  setenv("LRQAT_ISA", "", 1);
  CHECK(of_environment() == widest);
  unsetenv("LRQAT_ISA");
  CHECK(of_environment() == widest);
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
