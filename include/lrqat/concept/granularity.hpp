// SPDX-License-Identifier: MIT
// concept/granularity.hpp: how many weights share a scale.
#ifndef LRQAT_CONCEPT_GRANULARITY_HPP
#define LRQAT_CONCEPT_GRANULARITY_HPP

#include <lrqat/core/policy.hpp>
#include <lrqat/core/quant_options.hpp>
#include <lrqat/core/scale_layout.hpp>

namespace lrqat {

// clang-format off
/// layout(weight, options): the scales of a weight (out, in); throws where the shapes do not fit.
template <class G>
concept Granularity = PolicyOf<G, kind::granularity> &&
    requires(Shape weight, const QuantOptions& options) {
      { G::layout(weight, options) } -> std::same_as<ScaleLayout>;
    };
// clang-format on

}  // namespace lrqat

#endif  // LRQAT_CONCEPT_GRANULARITY_HPP
