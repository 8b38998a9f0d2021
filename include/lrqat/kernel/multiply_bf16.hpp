// SPDX-License-Identifier: MIT
// kernel/multiply_bf16.hpp: c += a b on one thread, operands rounded to bfloat16, sums in float32.
#ifndef LRQAT_KERNEL_MULTIPLY_BF16_HPP
#define LRQAT_KERNEL_MULTIPLY_BF16_HPP

#include <lrqat/core/expects.hpp>                   // expects
#include <lrqat/core/matrix_view.hpp>               // MatrixView
#include <lrqat/kernel/bf16_unit.hpp>               // active_bf16_unit
#include <lrqat/kernel/multiply.hpp>                // has_work, fill_with_zeros
#include <lrqat/kernel/multiply_bf16/emulated.hpp>  // multiply_bf16_emulated
#if LRQAT_X86
#include <lrqat/kernel/multiply_bf16/amx.hpp>
#include <lrqat/kernel/multiply_bf16/avx512_bf16.hpp>
#include <lrqat/kernel/multiply_bf16/tiled.hpp>
#endif

#include <span>

namespace lrqat::kernel {

namespace detail {

inline void product_bf16(const Bf16Product& product) {
#if LRQAT_X86
  const Bf16Unit unit = active_bf16_unit();
  if (unit == Bf16Unit::amx) return multiply_bf16_tiled<AmxTiles>(product);
  if (unit == Bf16Unit::avx512_bf16) return multiply_bf16_avx512(product);
#endif
  multiply_bf16_emulated(product);
}

inline void expect_scale(const LeftFactor<float>& a, std::span<const float> depth_scale) {
  expects(depth_scale.empty() || depth_scale.size() == a.depth,
          "multiply_bf16: ", depth_scale.size(), " scales for a depth of ", a.depth);
}

}  // namespace detail

/// c (m, n) += a (m, k) b (k, n); c overlaps neither a nor b. Both factors are rounded to bfloat16
/// (nearest even), a after its multiplication with depth_scale[k] where that is not empty.
///
/// Sums are float32, added to the old c in an order and with a rounding that are those of the unit
/// in use, so bits agree on one kind of unit only, there for every split of m and n. With the
/// rounded factors, |error| <= (k + 3) 2^-24 (|c| + sum |a b|) on any unit; subnormal factors and
/// sums count as 0 on AVX512_BF16 and AMX. Errors: shapes that do not fit.
inline void multiply_bf16(LeftFactor<float> a, MatrixView<const float> b, MatrixView<float> c,
                          std::span<const float> depth_scale = {}) {
  detail::expect_scale(a, depth_scale);
  if (detail::has_work(a, b, c))
    detail::product_bf16({a, b, c, depth_scale.empty() ? nullptr : depth_scale.data(), false});
}

/// c (m, n) = a b, whatever c held.
inline void multiply_bf16_into(LeftFactor<float> a, MatrixView<const float> b, MatrixView<float> c,
                               std::span<const float> depth_scale = {}) {
  detail::expect_scale(a, depth_scale);
  if (detail::has_work(a, b, c))
    detail::product_bf16({a, b, c, depth_scale.empty() ? nullptr : depth_scale.data(), true});
  else
    detail::fill_with_zeros(c);
}

}  // namespace lrqat::kernel

#endif  // LRQAT_KERNEL_MULTIPLY_BF16_HPP
