// SPDX-License-Identifier: MIT
// kernel/multiply_int8/operands.hpp: what a tile of the product of codes works on.
#ifndef LRQAT_KERNEL_MULTIPLY_INT8_OPERANDS_HPP
#define LRQAT_KERNEL_MULTIPLY_INT8_OPERANDS_HPP

#include <lrqat/kernel/int8_unit.hpp>  // Int8Unit

#include <cstddef>
#include <cstdint>

namespace lrqat::kernel {

/// The blocks (kernel/interleaved.hpp) that a group of inputs lies in.
struct GroupBlocks {
  std::size_t first, count;
};

/// How many tokens a tile of more than a few has, what the last one's fewer are a multiple of, and
/// how many steps of a token stand next to each other in Int8Tile::x, its `run`.
struct Int8Order {
  std::size_t tokens, fraction, run;
};
inline constexpr Int8Order vector_order{12, 4, 1}, tiled_order{32, 16, 16};

/// `panels` panels of 16 rows by `tokens` tokens, template arguments of a tile's run(); panel v and
/// token t below. The steps of a group's blocks follow those of the group before, and where a block
/// belongs to two groups its steps come twice: with zeros in `x` and `ones` for inputs that are not
/// the group's. In runs of several steps, zeros fill up the last run of each group.
struct Int8Tile {
  static constexpr std::size_t most_panels = 4;

  const std::uint32_t* panel[most_panels];
  const GroupBlocks* groups;
  std::size_t group_count;
  const std::uint32_t* x;                 // [step / run][t][step % run]: four codes
  const std::uint32_t* ones;              // [step]: four times 1
  const std::int32_t* zero_x;             // [t]: zero points of the activations
  const std::int32_t* x_sum;              // [group][t]: sum of code - zero_x over the group
  const std::int32_t* start;              // [group][t]: where the sum of a group starts
  const float* scale_x;                   // [t]
  const float* scale[most_panels];        // [group][r]
  const std::int32_t* zero[most_panels];  // [group][r], or unused
  std::int32_t* sum[most_panels];         // [group][r]: sums of operands; written or read
  std::uint32_t* operands[most_panels];   // tile units: [step][r], four each; written or read
  bool keeps_sums;                        // whether somebody will read what makes_sums writes
  float* y[most_panels];                  // row 0 of the panel, token 0
  std::size_t rows[most_panels];          // of the panel that are in y, 0 to 16
  std::size_t y_stride, tokens;           // tokens that are in y
};

/// The tiles of a unit, in kernel/multiply_int8/<unit>.hpp:
///
///   run<bits, has_zero, tokens, panels, makes_sums>(tile)
///       D = start + sum_i operand_i code_i - zero_x sum_i operand_i [- zero x_sum], in int32
///       y = scale_x (scale_0 D_0 + scale_1 D_1 + ...), a chain of fused multiply-adds from 0 on,
///           D converted to float32 before
///       makes_sums: writes tile.sum beside, or may where !keeps_sums, and tile.operands; it
///       otherwise reads them
template <Int8Unit>
struct Int8Kernel;

}  // namespace lrqat::kernel

#endif  // LRQAT_KERNEL_MULTIPLY_INT8_OPERANDS_HPP
