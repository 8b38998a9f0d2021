// SPDX-License-Identifier: MIT
// kernel/isa.hpp: the instruction sets that kernels are written for, and which one is in use.
#ifndef LRQAT_KERNEL_ISA_HPP
#define LRQAT_KERNEL_ISA_HPP

#include <lrqat/core/config.hpp>   // LRQAT_X86, LRQAT_ARM64
#include <lrqat/core/expects.hpp>  // expects, fail

#include <cstdlib>
#include <string_view>

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
#define LRQAT_TARGET_END _Pragma("clang attribute pop")
#else
#define LRQAT_AVX2_BEGIN _Pragma("GCC push_options") _Pragma("GCC target(\"avx2,fma\")")
#define LRQAT_AVX512_BEGIN \
  _Pragma("GCC push_options") \
  _Pragma("GCC target(\"avx2,fma,avx512f,avx512bw,avx512vl,avx512dq\")")
#define LRQAT_TARGET_END _Pragma("GCC pop_options")
#endif
// clang-format on

namespace lrqat::kernel {

/// On each processor, those that it has contain the ones before. neon is part of every AArch64,
/// avx2 stands for AVX2 + FMA, avx512 for AVX-512 F, BW, VL, DQ.
enum class Isa { scalar, neon, avx2, avx512 };

/// All of them, slowest first; see machine_has.
inline constexpr Isa all_isas[] = {Isa::scalar, Isa::neon, Isa::avx2, Isa::avx512};

/// The name that LRQAT_ISA takes: "scalar", "neon", "avx2", "avx512".
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

/// The instruction set called `wanted`. Errors: an unknown name; one that the machine lacks.
inline Isa isa_named(std::string_view wanted) {
  for (const Isa isa : all_isas) {
    if (name(isa) != wanted) continue;
    expects(machine_has(isa), "LRQAT_ISA: this machine lacks ", wanted);
    return isa;
  }
  fail("LRQAT_ISA: unknown instruction set \"", wanted, "\"; known are scalar, neon, avx2, avx512");
}

/// The widest instruction set of the machine.
inline Isa widest_isa() {
  Isa widest = Isa::scalar;
  for (const Isa isa : all_isas)
    if (machine_has(isa)) widest = isa;
  return widest;
}

namespace detail {

inline Isa isa_from_environment() {
  const char* wanted = std::getenv("LRQAT_ISA");
  return wanted != nullptr && *wanted != '\0' ? isa_named(wanted) : widest_isa();
}

inline Isa& chosen_isa() {
  static Isa chosen = isa_from_environment();
  return chosen;
}

}  // namespace detail

/// What the kernels run on: the environment's LRQAT_ISA, otherwise the widest of the machine; the
/// environment is asked once. Errors: LRQAT_ISA unknown, or not available on this machine.
inline Isa active_isa() { return detail::chosen_isa(); }

/// Makes the kernels use `isa` from now on: for tests and comparisons, while no kernel is running.
/// Errors: the machine lacks it.
inline void set_active_isa(Isa isa) {
  expects(machine_has(isa), "set_active_isa: this machine lacks ", name(isa));
  detail::chosen_isa() = isa;
}

}  // namespace lrqat::kernel

#endif  // LRQAT_KERNEL_ISA_HPP
