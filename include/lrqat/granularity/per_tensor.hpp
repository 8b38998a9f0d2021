// SPDX-License-Identifier: MIT
// granularity/per_tensor.hpp: one scale for the whole weight.
#ifndef LRQAT_GRANULARITY_PER_TENSOR_HPP
#define LRQAT_GRANULARITY_PER_TENSOR_HPP

#include <lrqat/concept/granularity.hpp>

namespace lrqat {

struct PerTensor {  // weight (out, in) -> scales (1, 1)
  using policy_kind = kind::granularity;
  static constexpr ScaleLayout layout(Shape weight, const QuantOptions&) {
    return {{1, 1}, weight.cols};
  }
};

static_assert(Granularity<PerTensor>);

}  // namespace lrqat

#endif  // LRQAT_GRANULARITY_PER_TENSOR_HPP
