// SPDX-License-Identifier: MIT
// concept/storage.hpp: how the frozen base is kept (the downcasting operator phi of LR-QAT).
#ifndef LRQAT_CONCEPT_STORAGE_HPP
#define LRQAT_CONCEPT_STORAGE_HPP

#include <lrqat/concept/grid.hpp>

#include <cstddef>
#include <span>

namespace lrqat {

// clang-format off
/// A storage is named without its grid and bound to it by the layer: S::bound_to<Int<4>>.
///
/// bytes_per_row(in)               a row starts on a byte
/// encode(values, z, row, first)   writes values as weights first, first + 1, ... of the row
/// decode(row, first, z, values)   reads them back
/// fraction_bits                   optional: bits of a value below its level
/// keeps_reals                     true when any real survives up to its rounding error, as the
///                                 weight domain needs; false when values end on the grid's range
template <class S, class G>
concept StorageOf = PolicyOf<S, kind::storage> && Grid<G> &&
    requires(std::span<const float> values, std::span<float> decoded, float zero_point,
             std::byte* row, const std::byte* encoded, std::size_t count) {
      bool{S::template bound_to<G>::keeps_reals};
      { S::template bound_to<G>::bytes_per_row(count) } -> std::same_as<std::size_t>;
      S::template bound_to<G>::encode(values, zero_point, row, count);
      S::template bound_to<G>::decode(encoded, count, zero_point, decoded);
    };
// clang-format on

/// Whether a bound storage keeps anything of a base between two levels.
template <class Bound>
inline constexpr bool keeps_fractions =
    Bound::keeps_reals || requires { requires(Bound::fraction_bits > 0); };

}  // namespace lrqat

#endif  // LRQAT_CONCEPT_STORAGE_HPP
