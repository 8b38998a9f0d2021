// SPDX-License-Identifier: MIT
// scale_format/float32_scale.hpp: a scale is used as it is trained.
#ifndef LRQAT_SCALE_FORMAT_FLOAT32_SCALE_HPP
#define LRQAT_SCALE_FORMAT_FLOAT32_SCALE_HPP

#include <lrqat/concept/initializer.hpp>  // scale_floor
#include <lrqat/concept/scale_format.hpp>
#include <lrqat/core/config.hpp>

namespace lrqat {

struct Float32Scale {
  using policy_kind = kind::scale_format;
  constexpr explicit Float32Scale(const QuantOptions& = {}) {}

  static constexpr float floor() { return scale_floor; }
  template <class G>
  LRQAT_INLINE static constexpr float round(float scale, float /*zero_point*/) {
    return scale;
  }
  LRQAT_INLINE static constexpr float round_offset(float offset) { return offset; }
};

}  // namespace lrqat

#endif  // LRQAT_SCALE_FORMAT_FLOAT32_SCALE_HPP
