// SPDX-License-Identifier: MIT
// tests/kernel/bf16_unit.test.cpp: which unit a machine's products of bfloat16 run on.
#include <lrqat/kernel/bf16_unit.hpp>

#include <catch2/catch.hpp>

#include <string>

using lrqat::kernel::Bf16Unit;
using lrqat::kernel::Isa;
using lrqat::kernel::TileUnit;
using lrqat::kernel::detail::widest_unit;

namespace {

constexpr bool has_all(Bf16Unit) { return true; }
constexpr bool has_pairs(Bf16Unit unit) { return unit != Bf16Unit::amx; }
constexpr bool has_tiles_alone(Bf16Unit unit) { return unit != Bf16Unit::avx512_bf16; }
constexpr bool has_none(Bf16Unit unit) { return unit == Bf16Unit::emulated; }

static_assert(widest_unit(TileUnit::allowed, has_all) == Bf16Unit::amx);
static_assert(widest_unit(TileUnit::left_out, has_all) == Bf16Unit::avx512_bf16);
static_assert(widest_unit(TileUnit::allowed, has_pairs) == Bf16Unit::avx512_bf16);
static_assert(widest_unit(TileUnit::left_out, has_tiles_alone) == Bf16Unit::emulated);
static_assert(widest_unit(TileUnit::allowed, has_none) == Bf16Unit::emulated);

TEST_CASE("Bf16Unit: emulated beside every instruction set but avx512", "[kernel]") {
  const Isa before = lrqat::kernel::active_isa();
  for (const Isa isa : lrqat::kernel::all_isas) {
    if (!lrqat::kernel::machine_has(isa)) continue;
    lrqat::kernel::set_active_isa(isa);
    if (isa != Isa::avx512) CHECK(lrqat::kernel::active_bf16_unit() == Bf16Unit::emulated);
    CHECK(lrqat::kernel::machine_has(lrqat::kernel::active_bf16_unit()));
  }
  lrqat::kernel::set_active_isa(before);
}

TEST_CASE("Bf16Unit: a unit that the machine lacks is an error that names it", "[kernel]") {
  for (const Bf16Unit unit : lrqat::kernel::all_bf16_units)
    if (!machine_has(unit))
      CHECK_THROWS_WITH(lrqat::kernel::set_active_bf16_unit(unit),
                        "set_active_bf16_unit: this machine lacks " + std::string(name(unit)));
}

}  // namespace
