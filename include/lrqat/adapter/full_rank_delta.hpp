// SPDX-License-Identifier: MIT
// adapter/full_rank_delta.hpp: a delta with one trained number for each weight, on a frozen base.
#ifndef LRQAT_ADAPTER_FULL_RANK_DELTA_HPP
#define LRQAT_ADAPTER_FULL_RANK_DELTA_HPP

#include <lrqat/adapter/detail/trained_matrix.hpp>
#include <lrqat/concept/adapter.hpp>

namespace lrqat {

/// delta (out, in), zero at first, in float32 with its gradient: 8 bytes a weight beside the base.
/// In BoundedRounding it is AdaRound's V less its first value. Where the base need not stay apart
/// from what is trained, FullRank holds both in one matrix.
struct FullRankDelta {
  using policy_kind = kind::adapter;
  static constexpr bool keeps_base = false;

  struct state : detail::TrainedMatrix {
    state(Shape weight, const QuantOptions&) : TrainedMatrix(weight) {}

    Parameters<float> parameters() { return {{"delta", Role::adapter, values_, gradient_}}; }
  };
};

static_assert(Adapter<FullRankDelta>);

}  // namespace lrqat

#endif  // LRQAT_ADAPTER_FULL_RANK_DELTA_HPP
