// SPDX-License-Identifier: MIT
// scale_format/any_scale.hpp: a format that is chosen at run time.
#ifndef LRQAT_SCALE_FORMAT_ANY_SCALE_HPP
#define LRQAT_SCALE_FORMAT_ANY_SCALE_HPP

#include <lrqat/scale_format/float32_scale.hpp>
#include <lrqat/scale_format/fp16_scale.hpp>

namespace lrqat {

/// Float32Scale or Fp16Scale, as QuantOptions::scale_type says.
struct AnyScale {
  using policy_kind = kind::scale_format;
  constexpr explicit AnyScale(const QuantOptions& options = {}) : type(options.scale_type) {}

  constexpr float floor() const {
    return type == ScaleType::fp16 ? Fp16Scale::floor() : Float32Scale::floor();
  }
  template <class G>
  LRQAT_INLINE constexpr float round(float scale, float zero_point) const {
    return type == ScaleType::fp16 ? Fp16Scale::round<G>(scale, zero_point) : scale;
  }
  constexpr float round_offset(float offset) const {
    return type == ScaleType::fp16 ? Fp16Scale::round_offset(offset) : offset;
  }

  ScaleType type;
};

}  // namespace lrqat

#endif  // LRQAT_SCALE_FORMAT_ANY_SCALE_HPP
