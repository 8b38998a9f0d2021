// SPDX-License-Identifier: MIT
// kernel/multiply_int8/tiled.hpp: how a product of codes is cut into the registers of a tile unit.
#ifndef LRQAT_KERNEL_MULTIPLY_INT8_TILED_HPP
#define LRQAT_KERNEL_MULTIPLY_INT8_TILED_HPP

#include <lrqat/core/config.hpp>                    // LRQAT_INLINE
#include <lrqat/core/numeric.hpp>                   // fused_multiply_add
#include <lrqat/kernel/interleaved.hpp>             // InterleavedCodes
#include <lrqat/kernel/multiply_int8/operands.hpp>  // Int8Tile, tiled_order
#include <lrqat/kernel/vectorised.hpp>              // vectorised

#include <cstddef>
#include <cstdint>

namespace lrqat::kernel {

/// Tiles of 16 or 32 tokens by two panels. Codes are made operands once for all tokens of a
/// product, by Vectors; then a run of 16 steps is one step of the registers. Tiles is the
/// processor's unit or, in tests, a model of it:
///
///   begin(), end()  take and give back the registers
///   multiply<halves>(left, right, runs, sums)
///                   sums (16 halves, 32), row-major without gaps, = the products of `runs` runs:
///                   left [run][token][16 words], four unsigned bytes each, times
///                   right[v] [run][16 words][16 rows], four signed bytes each
///
/// and Vectors, an Int8Kernel or a plain loop:
///
///   make_operands<bits>(tile, v, run)  tile.operands[v] and tile.sum[v] of panel v
template <class Tiles, class Vectors>
struct TiledInt8Kernel {
  template <unsigned bits, bool has_zero, std::size_t tokens, std::size_t panels, bool makes_sums>
  static void run(const Int8Tile& tile) {
    static_assert(panels == 2 && (tokens == 16 || tokens == 32));
    if constexpr (makes_sums)
      for (std::size_t v = 0; v < panels; ++v)
        Vectors::template make_operands<bits>(tile, v, tiled_order.run);
    multiply<has_zero>(tile, tokens, InterleavedCodes<bits>::steps);
  }

 private:
  static constexpr std::size_t lanes = 16, panels = 2, width = panels * lanes;

  /// From operands on, the same for all widths of codes.
  template <bool has_zero>
  [[gnu::noinline]] static void multiply(const Int8Tile& tile, std::size_t tokens,
                                         std::size_t steps_of_block) {
    alignas(64) std::int32_t sums[tiled_order.tokens * width];
    alignas(64) float y[tiled_order.tokens * width] = {};
    const std::uint32_t* x = tile.x;
    const std::uint32_t* right[] = {tile.operands[0], tile.operands[1]};
    Tiles::begin();
    for (std::size_t g = 0; g < tile.group_count; ++g) {
      const std::size_t steps = tile.groups[g].count * steps_of_block;
      const std::size_t runs = (steps + tiled_order.run - 1) / tiled_order.run;
      if (tokens == 16)
        Tiles::template multiply<1>(x, right, runs, sums);
      else
        Tiles::template multiply<2>(x, right, runs, sums);
      x += runs * tokens * tiled_order.run;
      for (const std::uint32_t*& operands : right) operands += runs * tiled_order.run * lanes;
      vectorised([&] { add_group<has_zero>(tile, g, tokens, sums, y); });
    }
    Tiles::end();
    for (std::size_t t = 0; t < tile.tokens; ++t)
      for (std::size_t v = 0; v < panels; ++v)
        for (std::size_t r = 0; r < tile.rows[v]; ++r)
          tile.y[v][t * tile.y_stride + r] = tile.scale_x[t] * y[t * width + v * lanes + r];
  }

  /// y += scale D for group g of all tokens.
  template <bool has_zero>
  LRQAT_INLINE static void add_group(const Int8Tile& tile, std::size_t g, std::size_t tokens,
                                     const std::int32_t* sums, float* y) {
    for (std::size_t t = 0; t < tile.tokens; ++t) {
      const auto start = static_cast<std::uint32_t>(tile.start[g * tokens + t]);
      const auto zero_x = static_cast<std::uint32_t>(tile.zero_x[t]);
      const auto x_sum = static_cast<std::uint32_t>(tile.x_sum[g * tokens + t]);
      for (std::size_t v = 0; v < panels; ++v) {
        const std::size_t at = t * width + v * lanes;
        const std::int32_t* const operand_sum = tile.sum[v] + g * lanes;
        for (std::size_t r = 0; r < lanes; ++r) {
          // Wraps like a vector register on its way; the end fits.
          std::uint32_t whole = start + static_cast<std::uint32_t>(sums[at + r]);
          whole -= zero_x * static_cast<std::uint32_t>(operand_sum[r]);
          if constexpr (has_zero)
            whole -= x_sum * static_cast<std::uint32_t>(tile.zero[v][g * lanes + r]);
          y[at + r] =
              fused_multiply_add(tile.scale[v][g * lanes + r],
                                 static_cast<float>(static_cast<std::int32_t>(whole)), y[at + r]);
        }
      }
    }
  }
};

}  // namespace lrqat::kernel

#endif  // LRQAT_KERNEL_MULTIPLY_INT8_TILED_HPP
