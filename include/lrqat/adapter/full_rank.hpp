// SPDX-License-Identifier: MIT
// adapter/full_rank.hpp: the base itself is trained, as in full QAT (LSQ, EfficientQAT's Block-AP).
#ifndef LRQAT_ADAPTER_FULL_RANK_HPP
#define LRQAT_ADAPTER_FULL_RANK_HPP

#include <lrqat/adapter/detail/trained_matrix.hpp>
#include <lrqat/concept/adapter.hpp>

#include <algorithm>

namespace lrqat {

/// Holds the whole weight in float32 in place of a storage, and its gradient: 8 bytes a weight
/// before the optimizer. In the weight domain the parameter is W, inside the rounding it is W/s0.
struct FullRank {
  using policy_kind = kind::adapter;
  static constexpr bool keeps_base = true;

  struct state : detail::TrainedMatrix {
    state(Shape weight, const QuantOptions&) : TrainedMatrix(weight) {}

    Parameters<float> parameters() { return {{"weight", Role::weight, values_, gradient_}}; }
    void set_base(std::size_t row, std::span<const float> values) {
      std::copy(values.begin(), values.end(), values_.data() + row * shape_.cols);
    }
  };
};

static_assert(Adapter<FullRank>);

}  // namespace lrqat

#endif  // LRQAT_ADAPTER_FULL_RANK_HPP
