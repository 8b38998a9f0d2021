// SPDX-License-Identifier: MIT
// examples/lab/joined.hpp: a text made of parts.
#ifndef LRQAT_LAB_JOINED_HPP
#define LRQAT_LAB_JOINED_HPP

#include <lrqat/core/expects.hpp>  // append

#include <string>

namespace lrqat::lab {

/// Text and numbers, one after the other: joined("row ", 3, " of ", 7).
template <class... Parts>
std::string joined(const Parts&... parts) {
  std::string text;
  (lrqat::detail::append(text, parts), ...);
  return text;
}

}  // namespace lrqat::lab

#endif  // LRQAT_LAB_JOINED_HPP
