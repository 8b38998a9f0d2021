// SPDX-License-Identifier: MIT
// concept/scale_format.hpp: which numbers a scale can be when it is used.
#ifndef LRQAT_CONCEPT_SCALE_FORMAT_HPP
#define LRQAT_CONCEPT_SCALE_FORMAT_HPP

#include <lrqat/concept/grid.hpp>  // has_offset
#include <lrqat/core/policy.hpp>
#include <lrqat/core/quant_options.hpp>

namespace lrqat {

// clang-format off
/// The master of a scale is float32; what multiplies a level, and what merge() keeps, is a number of
/// the format. The gradient goes to the master as if they were equal (straight through).
///
/// F(options)              the format, with what QuantOptions says about it
/// floor()                 the smallest scale that is used; a master below it gets no gradient
/// round<G>(scale, zero)   the number of the format for a scale >= floor() beside that zero point
/// round_offset(offset)    on grids with offsets: the number of the format for one
template <class F, class G>
concept ScaleFormatOf = PolicyOf<F, kind::scale_format> && std::constructible_from<F, const QuantOptions&> &&
    requires(const F& format, float scale, float zero_point) {
      { format.floor() } -> std::same_as<float>;
      { format.template round<G>(scale, zero_point) } -> std::same_as<float>;
      requires !has_offset<G> || requires {
        { format.round_offset(scale) } -> std::same_as<float>;
      };
    };
// clang-format on

}  // namespace lrqat

#endif  // LRQAT_CONCEPT_SCALE_FORMAT_HPP
