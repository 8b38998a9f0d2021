// SPDX-License-Identifier: MIT
// granularity/per_group.hpp: one scale for each run of consecutive inputs of an output.
#ifndef LRQAT_GRANULARITY_PER_GROUP_HPP
#define LRQAT_GRANULARITY_PER_GROUP_HPP

#include <lrqat/concept/granularity.hpp>
#include <lrqat/core/expects.hpp>

namespace lrqat {

/// Groups of GroupSize inputs; the last group of a row may be shorter. PerGroup<dynamic> takes
/// the size from QuantOptions::group_size.
/// @pre group size <= in (checked): PerChannel is what a larger one would silently mean
template <std::size_t GroupSize>
struct PerGroup {  // weight (out, in) -> scales (out, ceil(in / GroupSize))
  static_assert(GroupSize > 0, "PerGroup<GroupSize>: a group has at least one weight.");
  using policy_kind = kind::granularity;
  static ScaleLayout layout(Shape weight, const QuantOptions& options) {
    const std::size_t size = GroupSize == dynamic ? options.group_size : GroupSize;
    expects(size > 0, "PerGroup<dynamic>: set QuantOptions::group_size to 1 or more");
    expects(size <= weight.cols, "PerGroup<", size, ">: the weight has in = ", weight.cols,
            ", fewer than one group; use PerChannel or a smaller group");
    return {{weight.rows, (weight.cols + size - 1) / size}, size};
  }
};

static_assert(Granularity<PerGroup<128>>);

}  // namespace lrqat

#endif  // LRQAT_GRANULARITY_PER_GROUP_HPP
