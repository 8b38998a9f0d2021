// SPDX-License-Identifier: MIT
// concept/adapter.hpp: what is trained on top of the base.
#ifndef LRQAT_CONCEPT_ADAPTER_HPP
#define LRQAT_CONCEPT_ADAPTER_HPP

#include <lrqat/core/matrix_view.hpp>
#include <lrqat/core/parameter.hpp>
#include <lrqat/core/policy.hpp>
#include <lrqat/core/quant_options.hpp>

#include <span>

namespace lrqat {

// clang-format off
/// An adapter is a small policy; its trained tensors live in its nested `state`, built from the
/// weight's shape and the options.
///
/// keeps_base                      true when the adapter holds the whole weight itself (full QAT);
///                                 it then has set_base(row, values) and no storage is made
/// add(tile, z)                    z += delta, for one tile of the weight
/// strips(tile)                    optional: an object whose add(strip, z) does the same for strips of
///                                 that tile, each a few rows in full width, so that work they
///                                 have in common is done once
/// backward(tile, grad_z, shared)  adds the tile's gradients. The backward pass cuts the weight
///                                 into column blocks and works on them at once, from the first
///                                 row tile to the last: gradients that belong to the block's
///                                 columns may be written in place, those that blocks have in
///                                 common go into `shared`, one buffer a block, zero at first
/// shared_gradients()              its length
/// reduce(shared)                  adds one block's buffer to the gradients; called in block order
/// frozen_bytes()                  optional: what it keeps beside its parameters
template <class A>
concept Adapter = PolicyOf<A, kind::adapter> &&
    requires(typename A::state state, const typename A::state fixed, const Tile& tile,
             MatrixView<float> z,
             MatrixView<const float> grad_z, std::span<float> shared) {
      bool{A::keeps_base};
      requires std::constructible_from<typename A::state, Shape, const QuantOptions&>;
      { state.parameters() } -> std::same_as<Parameters<float>>;
      { fixed.shared_gradients() } -> std::same_as<std::size_t>;
      fixed.add(tile, z);
      state.backward(tile, grad_z, shared);
      state.reduce(std::span<const float>(shared));
    };
// clang-format on

/// What adds an adapter's delta to the strips of one tile.
template <class State>
auto adapter_strips(const State& state, const Tile& tile) {
  if constexpr (requires { state.strips(tile); }) {
    return state.strips(tile);
  } else {
    struct WholeState {
      const State& state;
      void add(const Tile& strip, MatrixView<float> z) const { state.add(strip, z); }
    };
    return WholeState{state};
  }
}

}  // namespace lrqat

#endif  // LRQAT_CONCEPT_ADAPTER_HPP
