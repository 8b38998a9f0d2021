// SPDX-License-Identifier: MIT
// kernel/multiply_int8/portable.hpp: the product of codes in plain loops: the oracle of the units,
// and what machines without one use.
#ifndef LRQAT_KERNEL_MULTIPLY_INT8_PORTABLE_HPP
#define LRQAT_KERNEL_MULTIPLY_INT8_PORTABLE_HPP

#include <lrqat/core/config.hpp>                    // LRQAT_INDEPENDENT
#include <lrqat/core/numeric.hpp>                   // fused_multiply_add
#include <lrqat/kernel/interleaved.hpp>             // InterleavedCodes
#include <lrqat/kernel/multiply_int8/operands.hpp>  // Int8Tile, Int8Kernel
#include <lrqat/kernel/vectorised.hpp>              // vectorised

#include <cstddef>
#include <cstdint>

namespace lrqat::kernel {

template <>
struct Int8Kernel<Int8Unit::portable> {
  template <unsigned bits, bool has_zero, std::size_t tokens, std::size_t panels, bool makes_sums>
  static void run(const Int8Tile& tile) {
    if constexpr (makes_sums) make_sums<bits>(tile, panels);
    multiply<bits, has_zero>(tile, tokens, panels);
  }

 private:
  static constexpr std::size_t lanes = 16;

  template <unsigned bits, bool has_zero>
  static void multiply(const Int8Tile& tile, std::size_t tokens, std::size_t panels) {
    vectorised([&] {
      for (std::size_t v = 0; v < panels; ++v)
        for (std::size_t t = 0; t < tile.tokens; ++t) {
          float y[lanes] = {};
          const std::uint32_t* x = tile.x + t;
          for (std::size_t g = 0; g < tile.group_count; ++g) {
            // Wraps like a vector register on its way; the end fits.
            std::uint32_t sum[lanes];
            const auto start = static_cast<std::uint32_t>(tile.start[g * tokens + t]);
            for (std::size_t r = 0; r < lanes; ++r) sum[r] = start;
            x = add_products<bits>(tile.panel[v], tile.groups[g], x, tokens, sum);
            const auto zero_x = static_cast<std::uint32_t>(tile.zero_x[t]);
            const auto x_sum = static_cast<std::uint32_t>(tile.x_sum[g * tokens + t]);
            for (std::size_t r = 0; r < lanes; ++r) {
              const std::size_t cell = g * lanes + r;
              sum[r] -= zero_x * static_cast<std::uint32_t>(tile.sum[v][cell]);
              if constexpr (has_zero)
                sum[r] -= x_sum * static_cast<std::uint32_t>(tile.zero[v][cell]);
              y[r] = fused_multiply_add(
                  tile.scale[v][cell], static_cast<float>(static_cast<std::int32_t>(sum[r])), y[r]);
            }
          }
          for (std::size_t r = 0; r < tile.rows[v]; ++r)
            tile.y[v][t * tile.y_stride + r] = tile.scale_x[t] * y[r];
        }
    });
  }

  template <unsigned bits>
  static void make_sums(const Int8Tile& tile, std::size_t panels) {
    vectorised([&] {
      for (std::size_t v = 0; v < panels; ++v) {
        const std::uint32_t* ones = tile.ones;
        for (std::size_t g = 0; g < tile.group_count; ++g) {
          std::uint32_t sum[lanes] = {};
          ones = add_products<bits>(tile.panel[v], tile.groups[g], ones, 1, sum);
          for (std::size_t r = 0; r < lanes; ++r)
            tile.sum[v][g * lanes + r] = static_cast<std::int32_t>(sum[r]);
        }
      }
    });
  }

  /// sum[r] += operands of row r times the codes of one token; returns where the next group's are.
  template <unsigned bits>
  LRQAT_INLINE static const std::uint32_t* add_products(const std::uint32_t* panel,
                                                        GroupBlocks group, const std::uint32_t* x,
                                                        std::size_t x_step, std::uint32_t* sum) {
    using Codes = InterleavedCodes<bits>;
    for (std::size_t step = group.first * Codes::steps;
         step < (group.first + group.count) * Codes::steps; ++step, x += x_step)
      for (std::size_t j = 0; j < 4; ++j) {
        const std::uint32_t code = *x >> (8 * j) & 0xFFu;
        Codes::for_each(panel, 4 * step + j, 1,
                        [&](std::size_t, std::size_t r, unsigned field) LRQAT_INLINE_LAMBDA {
                          sum[r] += (field - static_cast<unsigned>(Codes::operand_offset)) * code;
                        });
      }
    return x;
  }
};

}  // namespace lrqat::kernel

#endif  // LRQAT_KERNEL_MULTIPLY_INT8_PORTABLE_HPP
