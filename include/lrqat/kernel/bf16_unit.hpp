// SPDX-License-Identifier: MIT
// kernel/bf16_unit.hpp: what multiplies bfloat16 on this machine, and which of it is in use.
#ifndef LRQAT_KERNEL_BF16_UNIT_HPP
#define LRQAT_KERNEL_BF16_UNIT_HPP

#include <lrqat/core/config.hpp>   // LRQAT_X86
#include <lrqat/core/expects.hpp>  // expects
#include <lrqat/kernel/isa.hpp>    // active_isa, active_tile_unit, machine_has_amx

#include <string_view>
#if LRQAT_X86
#include <cpuid.h>
#endif

// The target region of a unit, closed by LRQAT_TARGET_END; see kernel/isa.hpp.
// clang-format off
#if defined(__clang__)
#define LRQAT_AVX512_BF16_BEGIN \
  _Pragma("clang attribute push(__attribute__((target(\"avx2,fma,avx512f,avx512bw,avx512vl,avx512dq,avx512bf16\"))), apply_to = function)")
#else
#define LRQAT_AVX512_BF16_BEGIN \
  _Pragma("GCC push_options") \
  _Pragma("GCC target(\"avx2,fma,avx512f,avx512bw,avx512vl,avx512dq,avx512bf16\")")
#endif
// clang-format on

namespace lrqat::kernel {

/// emulated rounds the operands and multiplies in float32, on every instruction set; avx512_bf16
/// is AVX512_BF16's dot product of pairs; amx is Intel's tile unit (AMX-TILE, AMX-BF16).
enum class Bf16Unit { emulated, avx512_bf16, amx };

inline constexpr Bf16Unit all_bf16_units[] = {Bf16Unit::emulated, Bf16Unit::avx512_bf16,
                                              Bf16Unit::amx};

constexpr std::string_view name(Bf16Unit unit) {
  return unit == Bf16Unit::amx ? "amx" : unit == Bf16Unit::avx512_bf16 ? "avx512_bf16" : "emulated";
}

namespace detail {

#if LRQAT_X86
inline bool has_avx512_bf16() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return machine_has(Isa::avx512) && __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0 &&
         (a >> 5 & 1u) != 0;
}
#endif

}  // namespace detail

/// Whether the processor and the operating system let this program use `unit`; asked once.
inline bool machine_has(Bf16Unit unit) {
#if LRQAT_X86
  static const bool avx512_bf16 = detail::has_avx512_bf16();
  if (unit == Bf16Unit::avx512_bf16) return avx512_bf16;
  if (unit == Bf16Unit::amx) return machine_has_amx();
#endif
  return unit == Bf16Unit::emulated;
}

namespace detail {

/// The widest unit of a machine for which has(unit) says what is there.
template <class Has>
constexpr Bf16Unit widest_unit(TileUnit tiles, Has has) {
  return tiles == TileUnit::allowed && has(Bf16Unit::amx) ? Bf16Unit::amx
         : has(Bf16Unit::avx512_bf16)                     ? Bf16Unit::avx512_bf16
                                                          : Bf16Unit::emulated;
}

inline Bf16Unit& widest_allowed_unit() {
  static Bf16Unit unit =
      widest_unit(active_tile_unit(), [](Bf16Unit each) { return machine_has(each); });
  return unit;
}

}  // namespace detail

/// The machine's widest, as long as the kernels run on AVX-512; emulated on any other active_isa().
/// LRQAT_ISA=avx512 leaves amx out, LRQAT_ISA=amx insists on it.
inline Bf16Unit active_bf16_unit() {
  return active_isa() == Isa::avx512 ? detail::widest_allowed_unit() : Bf16Unit::emulated;
}

/// Makes the kernels use `unit` from now on while active_isa() is avx512: for tests and
/// comparisons, while no kernel is running; LRQAT_ISA does not count then. Errors: the machine
/// lacks it.
inline void set_active_bf16_unit(Bf16Unit unit) {
  expects(machine_has(unit), "set_active_bf16_unit: this machine lacks ", name(unit));
  detail::widest_allowed_unit() = unit;
}

}  // namespace lrqat::kernel

#endif  // LRQAT_KERNEL_BF16_UNIT_HPP
