// SPDX-License-Identifier: MIT
// kernel/interleaved.hpp: codes of a weight in the order in which products read them.
#ifndef LRQAT_KERNEL_INTERLEAVED_HPP
#define LRQAT_KERNEL_INTERLEAVED_HPP

#include <lrqat/core/config.hpp>       // LRQAT_INDEPENDENT, LRQAT_INLINE
#include <lrqat/core/matrix_view.hpp>  // Shape

#include <cstddef>
#include <cstdint>

namespace lrqat::kernel {

/// Fields of `bits` bits for a matrix (out, in), as many bytes as without gaps but for the rounding
/// up of rows to 16 and of inputs to a block.
///
/// A panel is 16 rows. It is cut along the inputs into blocks, a block into steps of 4 inputs, and
/// what a vector unit multiplies at a time is a step: a line of 16 words of 32 bits, word r for row
/// r, byte j of it for input 4 step + j. A byte has room for several steps where fields are
/// narrower than 8 bits, so one line holds 8 / bits steps, each a shift and a mask away. Widths
/// that do not divide 8 are a sum of widths that do (7 = 4 + 2 + 1), each with lines of its own:
/// the widest plane holds the lowest bits. A block is as long as its narrowest plane fills a line.
///
/// Fields of 8 bits are kept with their highest bit turned, which makes them signed: see operand().
template <unsigned bits>
struct InterleavedCodes {
  static_assert(bits >= 1 && bits <= 8);
  static constexpr unsigned narrowest = bits & (0u - bits);
  static constexpr std::size_t rows = 16, words_per_line = rows;
  static constexpr std::size_t steps = 8 / narrowest, inputs = 4 * steps;  // of a block
  static constexpr std::size_t lines = bits / narrowest, words = lines * words_per_line;
  /// A field is its operand, as a kernel multiplies it, plus this.
  static constexpr int operand_offset = bits == 8 ? 128 : 0;

  static constexpr std::size_t panels(std::size_t out) { return (out + rows - 1) / rows; }
  static constexpr std::size_t blocks(std::size_t in) { return (in + inputs - 1) / inputs; }
  static constexpr std::size_t words_per_panel(std::size_t in) { return blocks(in) * words; }
  static constexpr std::size_t size(Shape shape) {
    return panels(shape.rows) * words_per_panel(shape.cols);
  }

  /// Where in a block the bits of one plane are for a step: `line` of the block, shifted by
  /// `shift` within each byte; they are the bits `low`, low + 1, ... of the field.
  struct Place {
    std::size_t line;
    unsigned shift, low;
  };
  static constexpr bool has_plane(unsigned width) { return (bits & width) != 0; }
  static constexpr Place place(unsigned width, std::size_t step) {
    const unsigned low = bits & ~(2u * width - 1u);  // what wider planes hold
    const std::size_t steps_per_line = 8 / width;
    return {low / narrowest + step / steps_per_line,
            static_cast<unsigned>(step % steps_per_line) * width, low};
  }

  /// The field of row r of a panel.
  static constexpr unsigned load(const std::uint32_t* panel, std::size_t r, std::size_t input) {
    const std::uint32_t* const block = panel + input / inputs * words;
    return field(block, r, input % inputs / 4, static_cast<unsigned>(input % 4) * 8u);
  }
  static constexpr void store(std::uint32_t* panel, std::size_t r, std::size_t input,
                              unsigned value) {
    std::uint32_t* const block = panel + input / inputs * words;
    const std::size_t step = input % inputs / 4;
    const unsigned byte = static_cast<unsigned>(input % 4) * 8u;
    if constexpr (bits == 8) value ^= 0x80u;
    for_each_plane([&](unsigned width) {
      const Place at = place(width, step);
      const std::uint32_t mask = (1u << width) - 1u;
      std::uint32_t& word = block[at.line * words_per_line + r];
      word =
          (word & ~(mask << (at.shift + byte))) | ((value >> at.low & mask) << (at.shift + byte));
    });
  }

  /// f(input, r, field) for rows [0, 16) of a panel and inputs [first, first + count): loops over r
  /// that become vector instructions inside vectorised().
  template <class F>
  LRQAT_INLINE static void for_each(const std::uint32_t* panel, std::size_t first,
                                    std::size_t count, F f) {
    for (std::size_t input = first; input < first + count; ++input) {
      const std::uint32_t* const block = panel + input / inputs * words;
      const std::size_t step = input % inputs / 4;
      const unsigned byte = static_cast<unsigned>(input % 4) * 8u;
      LRQAT_INDEPENDENT
      for (std::size_t r = 0; r < rows; ++r) f(input, r, field(block, r, step, byte));
    }
  }

 private:
  template <class F>
  LRQAT_INLINE static constexpr void for_each_plane(F f) {
    if constexpr (has_plane(8)) f(8u);
    if constexpr (has_plane(4)) f(4u);
    if constexpr (has_plane(2)) f(2u);
    if constexpr (has_plane(1)) f(1u);
  }
  template <unsigned width>
  LRQAT_INLINE static constexpr unsigned bits_of(const std::uint32_t* block, std::size_t r,
                                                 std::size_t step, unsigned byte) {
    if constexpr (!has_plane(width)) {
      return 0;
    } else {
      const Place at = place(width, step);
      return (block[at.line * words_per_line + r] >> (at.shift + byte) & ((1u << width) - 1u))
             << at.low;
    }
  }
  LRQAT_INLINE static constexpr unsigned field(const std::uint32_t* block, std::size_t r,
                                               std::size_t step, unsigned byte) {
    if constexpr (bits == 8)
      return bits_of<8>(block, r, step, byte) ^ 0x80u;
    else
      return bits_of<4>(block, r, step, byte) | bits_of<2>(block, r, step, byte) |
             bits_of<1>(block, r, step, byte);
  }
};

}  // namespace lrqat::kernel

#endif  // LRQAT_KERNEL_INTERLEAVED_HPP
