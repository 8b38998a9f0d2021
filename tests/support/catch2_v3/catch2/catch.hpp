// SPDX-License-Identifier: MIT
// catch2/catch.hpp: Catch2 3 under the names of 2.13, which the tests use.
#ifndef LRQAT_TESTS_SUPPORT_CATCH2_V3_CATCH_HPP
#define LRQAT_TESTS_SUPPORT_CATCH2_V3_CATCH_HPP

#include <catch2/catch_all.hpp>

#include <concepts>
#include <string>

using Catch::Approx;

namespace Catch {
namespace Matchers {
template <class Text>
  requires std::convertible_to<Text, std::string>
auto Contains(Text&& text) {
  return ContainsSubstring(text);
}
}  // namespace Matchers
using Matchers::Contains;
}  // namespace Catch

#endif  // LRQAT_TESTS_SUPPORT_CATCH2_V3_CATCH_HPP
