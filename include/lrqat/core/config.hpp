// SPDX-License-Identifier: MIT
// core/config.hpp: the version, and the only macros and compiler tests of the library.
#ifndef LRQAT_CORE_CONFIG_HPP
#define LRQAT_CORE_CONFIG_HPP

#define LRQAT_VERSION_MAJOR 0
#define LRQAT_VERSION_MINOR 1
#define LRQAT_VERSION_PATCH 0

#if defined(__clang__)
/// Ask for the next loop to be vectorised: its iterations do not depend on each other.
#define LRQAT_INDEPENDENT _Pragma("clang loop vectorize(assume_safety) unroll(disable)")
/// The same for a loop over partial results in a local array, which clang keeps in registers only
/// if it may unroll, and which it vectorises nevertheless.
#define LRQAT_PARTIALS _Pragma("clang loop vectorize(assume_safety)")
#elif defined(__GNUC__)
// Without the second gcc -O3 writes loops of 16 trips out before it could vectorise them.
#define LRQAT_INDEPENDENT _Pragma("GCC ivdep") _Pragma("GCC unroll 1")
#define LRQAT_PARTIALS LRQAT_INDEPENDENT
#else
#define LRQAT_INDEPENDENT
#define LRQAT_PARTIALS
#endif

#if defined(__clang__)
/// Ask for the next loop, of few and constant trips, to be written out in full.
#define LRQAT_UNROLL _Pragma("clang loop unroll(full)")
#elif defined(__GNUC__)
#define LRQAT_UNROLL _Pragma("GCC unroll 16")
#else
#define LRQAT_UNROLL
#endif

#if defined(__GNUC__) && !defined(__clang__)
/// Keeps a product, in a variable, out of fused multiply-adds: gcc fuses across statements, clang
/// only within an expression.
#if defined(__x86_64__)
#define LRQAT_UNFUSED(product) asm("" : "+x"(product))
#elif defined(__aarch64__)
#define LRQAT_UNFUSED(product) asm("" : "+w"(product))
#else
#define LRQAT_UNFUSED(product) asm("" : "+m"(product))
#endif
#else
#define LRQAT_UNFUSED(product) static_cast<void>(product)
#endif

/// For element-wise policy functions: they must vanish into the vector loop that calls them.
#define LRQAT_INLINE [[gnu::always_inline]] inline
/// The same for a lambda, between its parameters and its body: clang would leave a large one outside
/// of the vector loop, compiled for the program's target.
#define LRQAT_INLINE_LAMBDA __attribute__((always_inline))

#if defined(__x86_64__)
#define LRQAT_X86 1
#else
#define LRQAT_X86 0
#endif

#if defined(__aarch64__)
#define LRQAT_ARM64 1
#else
#define LRQAT_ARM64 0
#endif

#endif  // LRQAT_CORE_CONFIG_HPP
