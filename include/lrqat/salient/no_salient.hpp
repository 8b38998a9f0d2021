// SPDX-License-Identifier: MIT
// salient/no_salient.hpp: every weight is on the grid.
#ifndef LRQAT_SALIENT_NO_SALIENT_HPP
#define LRQAT_SALIENT_NO_SALIENT_HPP

#include <lrqat/concept/salient_weights.hpp>

#include <cstddef>
#include <span>

namespace lrqat {

struct NoSalient {
  using policy_kind = kind::salient;
  static constexpr bool keeps = false;
  struct state {
    state() = default;
    explicit state(Shape) {}
    std::span<const float> rest(std::size_t, std::size_t, std::span<const float> values) const {
      return values;
    }
  };
};

static_assert(SalientWeights<NoSalient>);

}  // namespace lrqat

#endif  // LRQAT_SALIENT_NO_SALIENT_HPP
