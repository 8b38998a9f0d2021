// SPDX-License-Identifier: MIT
// kernel/isa.hpp: the instruction sets that kernels are written for, and which one is in use.
#ifndef LRQAT_KERNEL_ISA_HPP
#define LRQAT_KERNEL_ISA_HPP

#include <lrqat/core/config.hpp>   // LRQAT_X86, LRQAT_ARM64
#include <lrqat/core/expects.hpp>  // expects, fail

#include <cstdlib>
#include <string_view>
#if LRQAT_X86 && defined(__linux__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

// A target region: functions defined between _BEGIN and _END may use the instruction set, whatever
// the flags of the program are. No lambdas inside (clang gives them the program's target), and no
// vector type passed or returned by value to or from code outside. Headers, <immintrin.h> too, are
// included before the region.
// clang-format off
#if defined(__clang__)
#define LRQAT_AVX2_BEGIN \
  _Pragma("clang attribute push(__attribute__((target(\"avx2,fma\"))), apply_to = function)")
#define LRQAT_AVX512_BEGIN \
  _Pragma("clang attribute push(__attribute__((target(\"avx2,fma,avx512f,avx512bw,avx512vl,avx512dq\"))), apply_to = function)")
#define LRQAT_AMX_BEGIN \
  _Pragma("clang attribute push(__attribute__((target(\"amx-tile,amx-bf16,amx-int8\"))), apply_to = function)")
#define LRQAT_TARGET_END _Pragma("clang attribute pop")
#else
#define LRQAT_AVX2_BEGIN _Pragma("GCC push_options") _Pragma("GCC target(\"avx2,fma\")")
#define LRQAT_AVX512_BEGIN \
  _Pragma("GCC push_options") \
  _Pragma("GCC target(\"avx2,fma,avx512f,avx512bw,avx512vl,avx512dq\")")
#define LRQAT_AMX_BEGIN \
  _Pragma("GCC push_options") \
  _Pragma("GCC target(\"amx-tile,amx-bf16,amx-int8\")")
#define LRQAT_TARGET_END _Pragma("GCC pop_options")
#endif
// clang-format on

namespace lrqat::kernel {

/// On each processor, those that it has contain the ones before. neon is part of every AArch64,
/// avx2 stands for AVX2 + FMA, avx512 for AVX-512 F, BW, VL, DQ.
enum class Isa { scalar, neon, avx2, avx512 };

/// All of them, slowest first; see machine_has.
inline constexpr Isa all_isas[] = {Isa::scalar, Isa::neon, Isa::avx2, Isa::avx512};

/// "scalar", "neon", "avx2", "avx512": what LRQAT_ISA takes, which also knows "amx" (isa_named).
constexpr std::string_view name(Isa isa) {
  return isa == Isa::avx512 ? "avx512"
         : isa == Isa::avx2 ? "avx2"
         : isa == Isa::neon ? "neon"
                            : "scalar";
}

/// Whether the processor and the operating system let this program use `isa`.
inline bool machine_has(Isa isa) {
#if LRQAT_X86
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (isa == Isa::avx2) return avx2;
  if (isa == Isa::avx512)
    return avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
#elif LRQAT_ARM64
  if (isa == Isa::neon) return true;
#endif
  return isa == Isa::scalar;
}

namespace detail {

/// The tile registers have to be asked for: Linux gives their state to a process on request.
inline bool may_use_amx() {
#if LRQAT_X86 && defined(__linux__)
  unsigned a = 0, b = 0, c = 0, d = 0;
  const bool there = machine_has(Isa::avx512) && __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 &&
                     (d >> 22 & 1u) != 0 && (d >> 24 & 1u) != 0;
  constexpr long request_permission = 0x1023, tile_data = 18;  // arch_prctl(2)
  return there && syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
#else
  return false;
#endif
}

}  // namespace detail

/// Whether there are AVX-512, AMX-TILE and AMX-BF16, and the operating system lets this program use
/// the tile registers; it is asked once.
inline bool machine_has_amx() {
  static const bool has = detail::may_use_amx();
  return has;
}

/// Whether Intel's tile unit, AMX, may multiply beside the vectors of avx512; which products it
/// takes is written in kernel/bf16_unit.hpp and kernel/int8_unit.hpp.
enum class TileUnit { left_out, allowed };

/// What a value of LRQAT_ISA stands for.
struct IsaChoice {
  Isa isa;
  TileUnit tiles;
  bool operator==(const IsaChoice&) const = default;
};

/// What is called `wanted`: an instruction set by its name, without AMX, or "amx", which is avx512
/// with AMX. Errors: an unknown name; one that the machine lacks.
inline IsaChoice isa_named(std::string_view wanted) {
  if (wanted == "amx") {
    expects(machine_has_amx(), "LRQAT_ISA: this machine lacks amx");
    return {Isa::avx512, TileUnit::allowed};
  }
  for (const Isa isa : all_isas) {
    if (name(isa) != wanted) continue;
    expects(machine_has(isa), "LRQAT_ISA: this machine lacks ", wanted);
    return {isa, TileUnit::left_out};
  }
  fail("LRQAT_ISA: unknown instruction set \"", wanted,
       "\"; known are scalar, neon, avx2, avx512, amx");
}

/// The widest instruction set of the machine.
inline Isa widest_isa() {
  Isa widest = Isa::scalar;
  for (const Isa isa : all_isas)
    if (machine_has(isa)) widest = isa;
  return widest;
}

namespace detail {

inline IsaChoice isa_from_environment() {
  const char* wanted = std::getenv("LRQAT_ISA");
  return wanted != nullptr && *wanted != '\0' ? isa_named(wanted)
                                              : IsaChoice{widest_isa(), TileUnit::allowed};
}

inline IsaChoice& chosen_isa() {
  static IsaChoice chosen = isa_from_environment();
  return chosen;
}

}  // namespace detail

/// What the kernels run on: the environment's LRQAT_ISA (scalar, neon, avx2, avx512 or amx),
/// otherwise the widest of the machine; the environment is asked once. Under "amx" it is avx512,
/// and the tile unit is beside it: see active_bf16_unit and active_int8_unit. Errors: LRQAT_ISA
/// unknown, or not available on this machine.
inline Isa active_isa() { return detail::chosen_isa().isa; }

/// Whether the tile unit may be used where active_isa() is avx512; said once, with that.
inline TileUnit active_tile_unit() { return detail::chosen_isa().tiles; }

/// Makes the kernels use `isa` from now on: for tests and comparisons, while no kernel is running.
/// Whether tiles may be used stays as it is. Errors: the machine lacks `isa`.
inline void set_active_isa(Isa isa) {
  expects(machine_has(isa), "set_active_isa: this machine lacks ", name(isa));
  detail::chosen_isa().isa = isa;
}

}  // namespace lrqat::kernel

#endif  // LRQAT_KERNEL_ISA_HPP
