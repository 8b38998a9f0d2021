// SPDX-License-Identifier: MIT
// core/permutation.hpp: an order that holds every index once.
#ifndef LRQAT_CORE_PERMUTATION_HPP
#define LRQAT_CORE_PERMUTATION_HPP

#include <lrqat/core/expects.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace lrqat::detail {

/// @throws Error, beginning with `who`, when `order` is no permutation of `channels` channels
inline void expect_permutation(const char* who, std::span<const std::uint32_t> order,
                               std::size_t channels) {
  expects(order.size() == channels, who, ": an order of ", order.size(), " channels for ",
          channels);
  std::vector<bool> seen(channels);
  for (const std::uint32_t from : order) {
    expects(from < channels && !seen[from], who, ": channel ", from,
            " is not there, or comes twice");
    seen[from] = true;
  }
}

}  // namespace lrqat::detail

#endif  // LRQAT_CORE_PERMUTATION_HPP
