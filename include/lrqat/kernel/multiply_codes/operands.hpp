// SPDX-License-Identifier: MIT
// kernel/multiply_codes/operands.hpp: what a tile of the product with codes works on.
#ifndef LRQAT_KERNEL_MULTIPLY_CODES_OPERANDS_HPP
#define LRQAT_KERNEL_MULTIPLY_CODES_OPERANDS_HPP

#include <lrqat/kernel/isa.hpp>  // Isa

#include <cstddef>
#include <cstdint>

namespace lrqat::kernel {

/// Panels of 16 rows (kernel/interleaved.hpp) by a few tokens; panel v and token t below.
struct CodesTile {
  static constexpr std::size_t most_panels = 8, most_tokens = 8;

  const std::uint32_t* panel[most_panels];
  std::size_t in;
  std::size_t group_columns;        // whole blocks, or not less than in
  const float* scale[most_panels];  // [group][r]
  const float* zero[most_panels];   // [group][r], or unused
  const float* level;               // of the fields 0 to 15, repeated, for up to 4 bits
  float offset;                     // level of operand 0, for more
  const float* x[most_tokens];
  float* y[most_panels];          // row 0 of the panel, token 0
  std::size_t rows[most_panels];  // of the panel that are in y, 0 to 16
  std::size_t y_stride, tokens;   // tokens that are in y
};

/// The tiles of an instruction set, in kernel/multiply_codes/<isa>.hpp:
/// run<bits, has_zero, tokens, panels>(tile).
template <Isa>
struct CodesKernel;

}  // namespace lrqat::kernel

#endif  // LRQAT_KERNEL_MULTIPLY_CODES_OPERANDS_HPP
