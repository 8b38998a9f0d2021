// SPDX-License-Identifier: MIT
// grid/codebook.hpp: levels from a table, among them NF4 of QLoRA and NF2 of LoftQ.
#ifndef LRQAT_GRID_CODEBOOK_HPP
#define LRQAT_GRID_CODEBOOK_HPP

#include <lrqat/concept/grid.hpp>
#include <lrqat/core/config.hpp>
#include <lrqat/core/numeric.hpp>  // clamp

#include <array>
#include <bit>
#include <cstddef>
#include <utility>

namespace lrqat {

/// 4-bit NormalFloat (Dettmers et al., QLoRA, arXiv 2305.14314, appendix E): quantiles of N(0, 1)
/// at 9 (positive) and 8 (negative) equally spaced probabilities from 0.9677083 to 1/2, the last of
/// each left out, and 0; divided by the largest. The published numbers.
struct Nf4 {
  static constexpr std::array<float, 16> levels{-1.0f,
                                                -0.6961928009986877f,
                                                -0.5250730514526367f,
                                                -0.39491748809814453f,
                                                -0.28444138169288635f,
                                                -0.18477343022823334f,
                                                -0.09105003625154495f,
                                                0.0f,
                                                0.07958029955625534f,
                                                0.16093020141124725f,
                                                0.24611230194568634f,
                                                0.33791524171829224f,
                                                0.44070982933044434f,
                                                0.5626170039176941f,
                                                0.7229568362236023f,
                                                1.0f};
};

/// The same construction with 2 bits (Li et al., LoftQ, arXiv 2310.08659): 3 and 2 probabilities.
struct Nf2 {
  static constexpr std::array<float, 4> levels{-1.0f, 0.0f, 0.33791524171829224f, 1.0f};
};

/// Levels Table::levels: 2, 4, 8 or 16 numbers in ascending order, in units of the scale; code k is
/// the k-th. A value halfway between two levels takes the lower one, as in bitsandbytes. MinMax
/// makes the scale max|w| where the highest level is 1, so that a group's extreme is exact.
///
/// Beyond the ends the table goes on with its outermost steps, as far as estimators can tell:
/// within half of one a value is rounded to the end and gets a gradient, farther out it is clipped.
/// Rounding is a comparison and a selection a level, in ascending order, and so vectorises.
template <class Table>
struct Codebook {
  static constexpr std::size_t size = Table::levels.size();
  static_assert(std::has_single_bit(size) && size >= 2 && size <= 16,
                "Codebook<Table>: a table has 2, 4, 8 or 16 levels.");
  /// Whether each level is above the one before.
  static constexpr bool ascends = [] {
    for (std::size_t k = 1; k < size; ++k)
      if (!(Table::levels[k - 1] < Table::levels[k])) return false;
    return true;
  }();
  static_assert(ascends, "Codebook<Table>: levels are in ascending order.");
  using policy_kind = kind::grid;
  static constexpr int bits = std::bit_width(size) - 1, code_min = 0, code_max = int(size) - 1;
  static constexpr bool has_zero_point = false, levels_are_a_table = true;

  template <class V>
  LRQAT_INLINE static constexpr V round(V u) {
    const V nearest = nearest_of(u, std::make_index_sequence<size - 1>{});
    // Joined without a branch; NaN is neither, and stays.
    const bool near =
        static_cast<bool>(static_cast<int>(u >= V(low_end)) & static_cast<int>(u <= V(high_end)));
    return near ? nearest : u;
  }
  template <class V>
  LRQAT_INLINE static constexpr V clip(V rounded, V /*zero_point*/) {
    return clamp(rounded, V(Table::levels[0]), V(Table::levels[size - 1]));
  }
  template <class V>
  LRQAT_INLINE static constexpr int code(V level, V /*zero_point*/) {
    return thresholds_below(level, std::make_index_sequence<size - 1>{});
  }
  template <class V>
  LRQAT_INLINE static constexpr V level(int code, V /*zero_point*/) {
    return V(Table::levels[static_cast<std::size_t>(code)]);
  }

 private:
  static constexpr float middle(std::size_t k) {
    return static_cast<float>((double{Table::levels[k]} + double{Table::levels[k + 1]}) / 2);
  }
  static constexpr float low_end = Table::levels[0] + (Table::levels[0] - middle(0));
  static constexpr float high_end =
      Table::levels[size - 1] + (Table::levels[size - 1] - middle(size - 2));

  template <class V, std::size_t... k>
  LRQAT_INLINE static constexpr V nearest_of(V u, std::index_sequence<k...>) {
    V nearest = V(Table::levels[0]);
    ((nearest = u > V(middle(k)) ? V(Table::levels[k + 1]) : nearest), ...);
    return nearest;
  }
  template <class V, std::size_t... k>
  LRQAT_INLINE static constexpr int thresholds_below(V level, std::index_sequence<k...>) {
    return (0 + ... + static_cast<int>(level > V(middle(k))));
  }
};

static_assert(CodebookGrid<Codebook<Nf4>> && CodebookGrid<Codebook<Nf2>>);

}  // namespace lrqat

#endif  // LRQAT_GRID_CODEBOOK_HPP
