// SPDX-License-Identifier: MIT
// backend/cpu_int8.hpp: the forward pass of a merged layer in integers.
#ifndef LRQAT_BACKEND_CPU_INT8_HPP
#define LRQAT_BACKEND_CPU_INT8_HPP

#include <lrqat/backend/int8_products.hpp>
#include <lrqat/concept/backend.hpp>
#include <lrqat/kernel/multiply_int8.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>

namespace lrqat {

namespace detail {

/// Tiles of active_int8_unit().
struct ActiveInt8Tiles {
  static kernel::Int8Order order() { return kernel::active_int8_order(); }
  template <unsigned bits, bool has_zero>
  static kernel::Int8Function tile(kernel::Int8Shape shape) {
    return kernel::int8_tile<bits, has_zero>(shape);
  }
};

}  // namespace detail

/// Products of Compute<int8>: codes of activations, quantized once for each token, times codes of
/// the weight, both as they are, with sums in int32. It has no backward pass.
///
///   y = s_x (s_0 D_0 + s_1 D_1 + ...),   D_g = sum over group g of (code_x - z_x) level
///
/// D is exact; its conversion to float32, each multiply-add and the last product round once, in
/// this order on every instruction set, for any number of threads and whatever tokens come along.
/// Scratch, kept between calls: up to 4 MiB of codes of activations (or those of 48 tokens), and
/// 16 to 128 KiB for each thread. A tile unit takes 128 tokens in place of the 48, and 32 bytes
/// more for each thread and input.
struct CpuInt8 : detail::Int8Products<detail::ActiveInt8Tiles> {
  using policy_kind = kind::backend;

  /// Whether every sum of a layer fits in int32. `most_level`: the largest |level| of the weight.
  static constexpr bool sums_fit(std::size_t group_columns, double most_level) {
    return static_cast<double>(group_columns) * 255.0 * most_level <=
           static_cast<double>(std::numeric_limits<std::int32_t>::max());
  }
};

static_assert(Backend<CpuInt8>);

}  // namespace lrqat

#endif  // LRQAT_BACKEND_CPU_INT8_HPP
