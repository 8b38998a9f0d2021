// SPDX-License-Identifier: MIT
// linear/detail/mergeable.hpp: which layers become a merged one.
#ifndef LRQAT_LINEAR_DETAIL_MERGEABLE_HPP
#define LRQAT_LINEAR_DETAIL_MERGEABLE_HPP

namespace lrqat::detail {

/// Whether merge() compiles: where a layer says so itself (`merges`), what it says.
template <class L>
inline constexpr bool mergeable = requires(const L& layer) {
  layer.merge();
};
template <class L>
requires requires { L::merges; }
inline constexpr bool mergeable<L> = L::merges;

}  // namespace lrqat::detail

#endif  // LRQAT_LINEAR_DETAIL_MERGEABLE_HPP
