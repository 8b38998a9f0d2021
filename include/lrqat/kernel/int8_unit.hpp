// SPDX-License-Identifier: MIT
// kernel/int8_unit.hpp: what multiplies int8 on this machine, and which of it is in use.
#ifndef LRQAT_KERNEL_INT8_UNIT_HPP
#define LRQAT_KERNEL_INT8_UNIT_HPP

#include <lrqat/core/config.hpp>  // LRQAT_X86
#include <lrqat/kernel/isa.hpp>   // active_isa, machine_has, TileUnit

#include <string_view>
#if LRQAT_X86
#include <cpuid.h>
#endif

// The target region of the unit, closed by LRQAT_TARGET_END; see kernel/isa.hpp.
// clang-format off
#if defined(__clang__)
#define LRQAT_AVX512_VNNI_BEGIN \
  _Pragma("clang attribute push(__attribute__((target(\"avx2,fma,avx512f,avx512bw,avx512vl,avx512dq,avx512vnni\"))), apply_to = function)")
#else
#define LRQAT_AVX512_VNNI_BEGIN \
  _Pragma("GCC push_options") \
  _Pragma("GCC target(\"avx2,fma,avx512f,avx512bw,avx512vl,avx512dq,avx512vnni\")")
#endif
// clang-format on

namespace lrqat::kernel {

/// portable is C++ on any instruction set; avx2 is its 16-bit multiply-adds; avx512_vnni is
/// AVX512_VNNI's dot product of four bytes; amx is Intel's tile unit (AMX-TILE, AMX-INT8) for many
/// tokens, and avx512_vnni beside it. Sums of integers are exact: all give the same bits.
enum class Int8Unit { portable, avx2, avx512_vnni, amx };

constexpr std::string_view name(Int8Unit unit) {
  return unit == Int8Unit::amx           ? "amx"
         : unit == Int8Unit::avx512_vnni ? "avx512_vnni"
         : unit == Int8Unit::avx2        ? "avx2"
                                         : "portable";
}

namespace detail {

#if LRQAT_X86
inline bool has_avx512_vnni() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return machine_has(Isa::avx512) && __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 &&
         (c >> 11 & 1u) != 0;
}
inline bool has_amx_int8() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return has_avx512_vnni() && machine_has_amx() && __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 &&
         (d >> 25 & 1u) != 0;
}
#endif

}  // namespace detail

/// Whether the processor and the operating system let this program use `unit`; asked once.
inline bool machine_has(Int8Unit unit) {
#if LRQAT_X86
  static const bool avx2 = machine_has(Isa::avx2), vnni = detail::has_avx512_vnni();
  if (unit == Int8Unit::avx2) return avx2;
  if (unit == Int8Unit::avx512_vnni) return vnni;
  if (unit == Int8Unit::amx) {
    static const bool amx = detail::has_amx_int8();
    return amx;
  }
#endif
  return unit == Int8Unit::portable;
}

/// The widest that the machine has and active_isa() allows. LRQAT_ISA=avx512 leaves amx out.
inline Int8Unit active_int8_unit() {
  const Isa isa = active_isa();
  if (isa == Isa::avx512 && active_tile_unit() == TileUnit::allowed && machine_has(Int8Unit::amx))
    return Int8Unit::amx;
  if (isa == Isa::avx512 && machine_has(Int8Unit::avx512_vnni)) return Int8Unit::avx512_vnni;
  return isa == Isa::avx512 || isa == Isa::avx2 ? Int8Unit::avx2 : Int8Unit::portable;
}

}  // namespace lrqat::kernel

#endif  // LRQAT_KERNEL_INT8_UNIT_HPP
