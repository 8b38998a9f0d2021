// SPDX-License-Identifier: MIT
// concept/salient_weights.hpp: which weights stay off the grid.
#ifndef LRQAT_CONCEPT_SALIENT_WEIGHTS_HPP
#define LRQAT_CONCEPT_SALIENT_WEIGHTS_HPP

#include <lrqat/core/matrix_view.hpp>
#include <lrqat/core/policy.hpp>

#include <concepts>
#include <cstddef>
#include <span>

namespace lrqat {

// clang-format off
/// A few weights with numbers of their own, which nothing trains, beside all others, which the other
/// policies make. They live in the nested `state`, built from the weight's shape with none in it.
///
/// keeps                    false: there are none, and rest() alone is asked for
/// rest(row, col, values)   the others among some values of a row, which begin at column col; valid
///                          until the next call on the same thread
/// put_back(tile, w)        writes their numbers into a tile of W_hat
/// take_out(tile, g)        writes 0 into a tile of gradients where they are
/// bytes()                  of the numbers and of where they are
template <class K>
concept SalientWeights = PolicyOf<K, kind::salient> &&
    requires(const typename K::state fixed, std::span<const float> some, std::size_t at) {
      bool{K::keeps};
      requires std::constructible_from<typename K::state, Shape>;
      { fixed.rest(at, at, some) } -> std::same_as<std::span<const float>>;
    } &&
    (!K::keeps || requires(const typename K::state fixed, const Tile& tile, MatrixView<float> w) {
      fixed.put_back(tile, w);
      fixed.take_out(tile, w);
      { fixed.bytes() } -> std::same_as<std::size_t>;
    });
// clang-format on

}  // namespace lrqat

#endif  // LRQAT_CONCEPT_SALIENT_WEIGHTS_HPP
