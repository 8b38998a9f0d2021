// SPDX-License-Identifier: MIT
// core/numeric.hpp: element-wise functions that give the same bits on every instruction set.
#ifndef LRQAT_CORE_NUMERIC_HPP
#define LRQAT_CORE_NUMERIC_HPP

#include <lrqat/core/config.hpp>  // LRQAT_INLINE, LRQAT_UNFUSED

#include <bit>
#include <concepts>
#include <cstdint>
#include <type_traits>

namespace lrqat {

/// a * b + c with one rounding. A compiler may fuse a written `a * b + c`, and does so only where
/// the target has the instruction: what decides a rounding to a grid is written with this function,
/// with unfused_product, or with products that are exact.
template <std::floating_point V>
LRQAT_INLINE V fused_multiply_add(V a, V b, V c) {
  if constexpr (sizeof(V) == sizeof(float))
    return __builtin_fmaf(a, b, c);
  else
    return __builtin_fma(a, b, c);
}

/// a * b, rounded before it goes into a sum, also where the target could fuse the two. Loops over
/// it do not vectorise with gcc.
template <std::floating_point V>
LRQAT_INLINE V unfused_product(V a, V b) {
  V product = a * b;
  LRQAT_UNFUSED(product);
  return product;
}

/// The nearest integer, ties to even; the sign stays (also that of zero), NaN and infinity stay.
/// Equals std::nearbyint and std::rint in the default rounding mode, which it relies on. One
/// instruction in the vector loops; a call of the C library for x86-64 without SSE4.1.
template <std::floating_point V>
LRQAT_INLINE V round_half_even(V u) {
  if constexpr (sizeof(V) == sizeof(float))
    return __builtin_rintf(u);
  else
    return __builtin_rint(u);
}

/// a where the condition holds, else b. By masks: with a conditional expression of computed values
/// gcc branches, and does not vectorise the loop.
template <std::floating_point V>
LRQAT_INLINE constexpr V select(bool holds, V a, V b) {
  using word = std::conditional_t<sizeof(V) == sizeof(float), std::uint32_t, std::uint64_t>;
  const word mask = word{0} - static_cast<word>(holds);
  return std::bit_cast<V>((std::bit_cast<word>(a) & mask) | (std::bit_cast<word>(b) & ~mask));
}

/// The greatest integer up to u; NaN, infinity and the sign of zero stay.
template <std::floating_point V>
LRQAT_INLINE V round_down(V u) {
  const V nearest = round_half_even(u);
  return nearest - select(nearest > u, V(1), V(0));
}

/// u limited to [low, high]: one max and one min. NaN stays NaN.
template <std::floating_point V>
LRQAT_INLINE constexpr V clamp(V u, V low, V high) {
  const V raised = low > u ? low : u;
  return high < raised ? high : raised;
}

}  // namespace lrqat

#endif  // LRQAT_CORE_NUMERIC_HPP
