// SPDX-License-Identifier: MIT
// kernel/multiply_int8.hpp: y = x W^T from codes of both, products and sums in integers.
#ifndef LRQAT_KERNEL_MULTIPLY_INT8_HPP
#define LRQAT_KERNEL_MULTIPLY_INT8_HPP

#include <lrqat/core/expects.hpp>                   // fail
#include <lrqat/kernel/int8_unit.hpp>               // Int8Unit
#include <lrqat/kernel/multiply_int8/operands.hpp>  // Int8Tile, Int8Kernel
#include <lrqat/kernel/multiply_int8/portable.hpp>
#if LRQAT_X86
#include <lrqat/kernel/multiply_int8/amx.hpp>
#include <lrqat/kernel/multiply_int8/avx2.hpp>
#include <lrqat/kernel/multiply_int8/avx512_vnni.hpp>
#endif

#include <cstddef>

namespace lrqat::kernel {

/// Shapes of tiles that exist: few tokens take four panels, which are so many streams from memory;
/// many take as many tokens as the registers of AVX-512 hold sums for, the last of them fewer, or
/// as those of a tile unit do. The first tile of a panel makes its sums.
struct Int8Shape {
  std::size_t tokens, panels;
  bool makes_sums;
  bool operator==(const Int8Shape&) const = default;
};
inline constexpr Int8Shape few_tokens[] = {{1, 4, true}, {2, 4, true}, {4, 4, true}};
inline constexpr Int8Shape further_four_tokens{4, 4, false};
inline constexpr Int8Shape many_tokens{12, 2, true};
inline constexpr Int8Shape further_tokens[] = {{4, 2, false}, {8, 2, false}, {12, 2, false}};

inline constexpr Int8Shape on_tile_unit[] = {
    {16, 2, true}, {16, 2, false}, {32, 2, true}, {32, 2, false}};

using Int8Function = void (*)(const Int8Tile&);

/// The function of a tile of that shape on a unit of vectors for fields of `bits` bits: see
/// Int8Kernel. Every unit gives the same bits. Errors: no such shape.
template <unsigned bits, bool has_zero, Int8Unit unit>
Int8Function int8_tile(Int8Shape shape) {
  using Kernel = Int8Kernel<unit>;
  if (shape == few_tokens[0]) return Kernel::template run<bits, has_zero, 1, 4, true>;
  if (shape == few_tokens[1]) return Kernel::template run<bits, has_zero, 2, 4, true>;
  if (shape == few_tokens[2]) return Kernel::template run<bits, has_zero, 4, 4, true>;
  if (shape == further_four_tokens) return Kernel::template run<bits, has_zero, 4, 4, false>;
  if (shape == many_tokens) return Kernel::template run<bits, has_zero, 12, 2, true>;
  if (shape == further_tokens[0]) return Kernel::template run<bits, has_zero, 4, 2, false>;
  if (shape == further_tokens[1]) return Kernel::template run<bits, has_zero, 8, 2, false>;
  if (shape == further_tokens[2]) return Kernel::template run<bits, has_zero, 12, 2, false>;
  fail("int8_tile: no tile of ", shape.tokens, " tokens by ", shape.panels, " panels");
}

/// The same on a tile unit, whose Kernel is a TiledInt8Kernel.
template <unsigned bits, bool has_zero, class Kernel>
Int8Function tiled_int8_tile(Int8Shape shape) {
  if (shape == on_tile_unit[0]) return Kernel::template run<bits, has_zero, 16, 2, true>;
  if (shape == on_tile_unit[1]) return Kernel::template run<bits, has_zero, 16, 2, false>;
  if (shape == on_tile_unit[2]) return Kernel::template run<bits, has_zero, 32, 2, true>;
  if (shape == on_tile_unit[3]) return Kernel::template run<bits, has_zero, 32, 2, false>;
  fail("tiled_int8_tile: no tile of ", shape.tokens, " tokens by ", shape.panels, " panels");
}

/// The same on active_int8_unit(), whose many tokens come in active_int8_order().
template <unsigned bits, bool has_zero>
Int8Function int8_tile(Int8Shape shape) {
#if LRQAT_X86
  switch (active_int8_unit()) {
    case Int8Unit::amx:
      if (shape.tokens >= tiled_order.fraction)
        return tiled_int8_tile<bits, has_zero, Int8Kernel<Int8Unit::amx>>(shape);
      [[fallthrough]];
    case Int8Unit::avx512_vnni:
      return int8_tile<bits, has_zero, Int8Unit::avx512_vnni>(shape);
    case Int8Unit::avx2:
      return int8_tile<bits, has_zero, Int8Unit::avx2>(shape);
    case Int8Unit::portable:
      break;
  }
#endif
  return int8_tile<bits, has_zero, Int8Unit::portable>(shape);
}

inline Int8Order active_int8_order() {
  return active_int8_unit() == Int8Unit::amx ? tiled_order : vector_order;
}

}  // namespace lrqat::kernel

#endif  // LRQAT_KERNEL_MULTIPLY_INT8_HPP
