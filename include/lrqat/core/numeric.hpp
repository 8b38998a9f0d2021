// SPDX-License-Identifier: MIT
// core/numeric.hpp: element-wise functions that give the same bits on every instruction set.
#ifndef LRQAT_CORE_NUMERIC_HPP
#define LRQAT_CORE_NUMERIC_HPP

#include <lrqat/core/config.hpp>  // LRQAT_INLINE

#include <bit>
#include <concepts>
#include <cstdint>

namespace lrqat {

/// a * b + c with one rounding. A compiler may fuse a written `a * b + c`, and does so only where
/// the target has the instruction: what decides a rounding to a grid is written with this function,
/// or with products that are exact.
template <std::floating_point V>
LRQAT_INLINE V fused_multiply_add(V a, V b, V c) {
  if constexpr (sizeof(V) == sizeof(float))
    return __builtin_fmaf(a, b, c);
  else
    return __builtin_fma(a, b, c);
}

/// The nearest integer, ties to even; the sign stays (also that of zero), NaN and infinity stay.
/// Equals std::nearbyint in the default rounding mode, but loops over it vectorise everywhere.
template <std::floating_point V>
LRQAT_INLINE V round_half_even(V u) {
  // From 2^23 on (2^52 for double) every value is an integer; below, adding it leaves no room for a
  // fraction, and the addition rounds as wanted.
  constexpr V integers_only = sizeof(V) == sizeof(float) ? V(0x1p23) : V(0x1p52);
  if constexpr (sizeof(V) == sizeof(float)) {
    const auto word = std::bit_cast<std::uint32_t>(u);
    const V magnitude = std::bit_cast<V>(word & 0x7FFFFFFFu);
    const V rounded = (magnitude + integers_only) - integers_only;
    const V chosen = magnitude < integers_only ? rounded : magnitude;
    return std::bit_cast<V>(std::bit_cast<std::uint32_t>(chosen) | (word & 0x80000000u));
  } else {
    const auto word = std::bit_cast<std::uint64_t>(u);
    const V magnitude = std::bit_cast<V>(word & 0x7FFFFFFFFFFFFFFFu);
    const V rounded = (magnitude + integers_only) - integers_only;
    const V chosen = magnitude < integers_only ? rounded : magnitude;
    return std::bit_cast<V>(std::bit_cast<std::uint64_t>(chosen) | (word & 0x8000000000000000u));
  }
}

/// u limited to [low, high]: one max and one min. NaN stays NaN.
template <std::floating_point V>
LRQAT_INLINE constexpr V clamp(V u, V low, V high) {
  const V raised = low > u ? low : u;
  return high < raised ? high : raised;
}

}  // namespace lrqat

#endif  // LRQAT_CORE_NUMERIC_HPP
