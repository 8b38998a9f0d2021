// SPDX-License-Identifier: MIT
// kernel/vectorised.hpp: plain element-wise loops, compiled for the instruction set in use.
#ifndef LRQAT_KERNEL_VECTORISED_HPP
#define LRQAT_KERNEL_VECTORISED_HPP

#include <lrqat/core/config.hpp>  // LRQAT_INDEPENDENT, LRQAT_INLINE
#include <lrqat/kernel/isa.hpp>   // active_isa, target regions

#include <cstddef>

namespace lrqat::kernel {

/// Calls f(i) for i in [0, count); the calls do not depend on each other. Inside vectorised() the
/// blocks become vector instructions: their trip count is constant and LRQAT_INDEPENDENT forgoes
/// alias checks, which gcc -O2 both asks for. Arrays of one element size vectorise best; a loop
/// that reads bytes and writes floats wants blocks of 64.
template <std::size_t block = 16, class F>
LRQAT_INLINE void for_each_lane(std::size_t count, F f) {
  std::size_t first = 0;
  for (; first + block <= count; first += block) {
    LRQAT_INDEPENDENT
    for (std::size_t lane = 0; lane < block; ++lane) f(first + lane);
  }
  if constexpr (block > 16)
    for (; first + 16 <= count; first += 16) {
      LRQAT_INDEPENDENT
      for (std::size_t lane = 0; lane < 16; ++lane) f(first + lane);
    }
  for (; first < count; ++first) f(first);
}

namespace detail {

template <Isa>
struct VectorisedCall {
  template <class F>
  static void run(F& f) {
    f();
  }
};

#if LRQAT_X86
LRQAT_AVX2_BEGIN
template <>
struct VectorisedCall<Isa::avx2> {
  template <class F>
  [[gnu::flatten]] static void run(F& f) {
    f();
  }
};
LRQAT_TARGET_END

LRQAT_AVX512_BEGIN
template <>
struct VectorisedCall<Isa::avx512> {
  template <class F>
  [[gnu::flatten]] static void run(F& f) {
    f();
  }
};
LRQAT_TARGET_END
#elif LRQAT_ARM64
template <>
struct VectorisedCall<Isa::neon> {
  template <class F>
  [[gnu::flatten]] static void run(F& f) {
    f();
  }
};
#endif

}  // namespace detail

/// Calls f() once, with everything that f calls (and that is visible here) compiled for
/// active_isa(): loops over elements written as for_each_lane become vector loops. Marking f's
/// helpers LRQAT_INLINE makes sure that they come along.
///
/// Bits: outside of x86's scalar the compiler may fuse a * b + c, so a result that decides a
/// rounding is written with fused_multiply_add or with exact products (core/numeric.hpp). f returns
/// nothing.
template <class F>
void vectorised(F&& f) {
#if LRQAT_X86
  switch (active_isa()) {
    case Isa::avx512:
      return detail::VectorisedCall<Isa::avx512>::run(f);
    case Isa::avx2:
      return detail::VectorisedCall<Isa::avx2>::run(f);
    case Isa::neon:
    case Isa::scalar:
      break;
  }
#elif LRQAT_ARM64
  if (active_isa() == Isa::neon) return detail::VectorisedCall<Isa::neon>::run(f);
#endif
  detail::VectorisedCall<Isa::scalar>::run(f);
}

}  // namespace lrqat::kernel

#endif  // LRQAT_KERNEL_VECTORISED_HPP
