// SPDX-License-Identifier: MIT
// linear/finalise.hpp: from a soft layer to integers, the end of learned rounding.
#ifndef LRQAT_LINEAR_FINALISE_HPP
#define LRQAT_LINEAR_FINALISE_HPP

#include <lrqat/core/expects.hpp>
#include <lrqat/core/numeric.hpp>  // round_down
#include <lrqat/linear/quant_linear.hpp>

#include <cmath>
#include <cstddef>
#include <span>
#include <type_traits>
#include <vector>

namespace lrqat {

namespace detail {

/// The layer that finalise() makes; void for one that has nothing soft.
template <class Layer>
struct finalised {
  using type = void;
};
template <class G, class Gran, class S, class A, class P, class E, class I, class T, class In,
          class B, class F, class K>
requires leaves_reals<G>
struct finalised<BasicQuantLinear<G, Gran, S, A, P, E, I, T, In, B, F, K>> {
  using type = BasicQuantLinear<typename G::rounded, Gran, Packed, NoAdapter, InsideRounding, E, I,
                                ScaleOnly, In, B, F>;  // no salient weights: K keeps none
};

}  // namespace detail

/// The layer of G from one on Unrounded<G>: each weight becomes the integer nearest to its soft
/// value, the upper one of two (AdaRound's h = 1[V >= 0]), packed, with the same scales, input and
/// bias. The adapter is gone; the scales can learn on, and merge() gives the same codes.
/// @param options  those of the soft layer; read for the scale format only
/// @throws Error when a weight or scale is not finite, as after a diverged training
template <class Layer>
auto finalise(const Layer& layer, QuantOptions options = {}) {
  using Hard = typename detail::finalised<Layer>::type;
  constexpr bool soft = !std::is_void_v<Hard>;
  static_assert(soft, "finalise: this layer rounds to its grid already. Write layer.merge().");
  if constexpr (soft) {
    using G = typename Hard::grid;
    constexpr bool integers = IntegerGrid<G>, levels = Layer::parameterization::has_levels;
    static_assert(integers,
                  "finalise: the levels of this grid are no integers. Write "
                  "std::move(layer).on_grid<G>() to round as the grid does.");
    static_assert(!integers || levels,
                  "finalise: a Parallel adapter stays a branch beside the integers. Place it in "
                  "BoundedRounding, or InsideRounding, to make it part of them.");
    if constexpr (integers && levels) {
      const auto& weight = layer.weight();
      const Shape shape = weight.shape();
      const ScaleLayout& layout = weight.layout();
      options.group_size = layout.group_columns;
      std::vector<QParams> qparams(layout.size());
      for (std::size_t cell = 0; cell < qparams.size(); ++cell) qparams[cell] = weight.used(cell);
      const auto rounded_row = [&](std::size_t row, std::span<float> values) {
        weight.levels({row, 0, 1, shape.cols}, {values.data(), 1, shape.cols});
        for (std::size_t j = 0; j < shape.cols; ++j) {
          const float n = round_down(values[j]), up = values[j] - n >= 0.5f ? 1.0f : 0.0f;
          expects(std::isfinite(n), "finalise: weight (", row, ", ", j, ") is not a number");
          values[j] = qparams[layout.index(row, j)].scale * (n + up);
        }
      };
      return Hard(shape, rounded_row, qparams, options, layer.bias());
    }
  }
}

}  // namespace lrqat

#endif  // LRQAT_LINEAR_FINALISE_HPP
