// SPDX-License-Identifier: MIT
// core/expects.hpp: run-time errors. The only place in the library that throws.
#ifndef LRQAT_CORE_EXPECTS_HPP
#define LRQAT_CORE_EXPECTS_HPP

#include <concepts>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <string_view>

namespace lrqat {

/// Every error of the library: a broken precondition or a broken file. The message names the
/// caller's object, what is wrong, and the numbers that show it.
struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

namespace detail {

inline void append(std::string& sentence, std::string_view part) { sentence += part; }
inline void append(std::string& sentence, char part) { sentence += part; }
template <std::integral N>
void append(std::string& sentence, N number) {
  sentence += std::to_string(number);
}
template <std::floating_point X>
void append(std::string& sentence, X number) {
  char digits[48];
  std::snprintf(digits, sizeof digits, "%.9g", static_cast<double>(number));
  sentence += digits;
}

}  // namespace detail

/// Throws lrqat::Error; the parts (text and numbers) are written one after the other.
template <class... Parts>
[[noreturn]] void fail(const Parts&... parts) {
  std::string sentence;
  (detail::append(sentence, parts), ...);
  throw Error(sentence);
}

/// The check of a public door, on in every build type. The message is only built on failure:
/// `expects(x.cols == in, "forward: x has ", x.cols, " columns, the layer takes ", in);`
template <class... Parts>
void expects(bool holds, const Parts&... parts) {
  if (!holds) [[unlikely]]
    fail(parts...);
}

}  // namespace lrqat

#endif  // LRQAT_CORE_EXPECTS_HPP
