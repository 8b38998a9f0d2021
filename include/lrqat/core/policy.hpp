// SPDX-License-Identifier: MIT
// core/policy.hpp: what makes a type a policy, and of which kind.
#ifndef LRQAT_CORE_POLICY_HPP
#define LRQAT_CORE_POLICY_HPP

#include <concepts>
#include <cstddef>

namespace lrqat {

/// In place of a compile-time rank or group size: the number is given to the constructor.
inline constexpr std::size_t dynamic = static_cast<std::size_t>(-1);

/// The axes. A policy declares its own: `using policy_kind = lrqat::kind::grid;`.
namespace kind {
struct grid {};
struct granularity {};
struct storage {};
struct adapter {};
struct placement {};
struct estimator {};
struct initializer {};
struct transform {};
struct input {};
struct trainable {};
struct backend {};
struct compute {};
struct scale_format {};
struct salient {};
}  // namespace kind

template <class P>
concept Policy = requires { typename P::policy_kind; };

template <class P, class Kind>
concept PolicyOf = Policy<P> && std::same_as<typename P::policy_kind, Kind>;

}  // namespace lrqat

#endif  // LRQAT_CORE_POLICY_HPP
