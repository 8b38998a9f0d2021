// SPDX-License-Identifier: MIT
// granularity/per_channel.hpp: one scale for each output.
#ifndef LRQAT_GRANULARITY_PER_CHANNEL_HPP
#define LRQAT_GRANULARITY_PER_CHANNEL_HPP

#include <lrqat/concept/granularity.hpp>

namespace lrqat {

struct PerChannel {  // weight (out, in) -> scales (out, 1)
  using policy_kind = kind::granularity;
  static constexpr ScaleLayout layout(Shape weight, const QuantOptions&) {
    return {{weight.rows, 1}, weight.cols};
  }
};

static_assert(Granularity<PerChannel>);

}  // namespace lrqat

#endif  // LRQAT_GRANULARITY_PER_CHANNEL_HPP
