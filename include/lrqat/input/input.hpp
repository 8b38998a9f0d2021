// SPDX-License-Identifier: MIT
// input/input.hpp: dynamic activation quantization, a scale and a zero point for each token.
#ifndef LRQAT_INPUT_INPUT_HPP
#define LRQAT_INPUT_INPUT_HPP

#include <lrqat/concept/grid.hpp>
#include <lrqat/concept/input_quantizer.hpp>
#include <lrqat/core/numeric.hpp>  // round_half_even, clamp
#include <lrqat/grid/uint.hpp>

#include <algorithm>

namespace lrqat {

/// One scale and zero point for each row of x, found from its extremes when it arrives.
struct PerToken {};

/// The zero point -min / scale as it is: end points are met exactly, but it is no integer format.
struct RealZeroPoint {
  static float choose(float low, float scale, float /*code_max*/) { return -low / scale; }
};

/// The zero point rounded into the codes, as integer kernels need it.
struct IntegerZeroPoint {
  static float choose(float low, float scale, float code_max) {
    return clamp(round_half_even(-low / scale), 0.0f, code_max);
  }
};

/// Asymmetric fake quantization of activations; scale and zero point carry no gradient
/// (lr-qat, section 1.10). Zero need not lie in a token's range.
template <class G, class Sharing = PerToken, class ZeroPoint = RealZeroPoint>
struct Input {
  static_assert(Grid<G> && G::has_zero_point,
                "Input<Grid>: activations are quantized on an unsigned grid; write Input<UInt<8>>.");
  static_assert(std::same_as<Sharing, PerToken>,
                "Input<Grid, Sharing>: scales are shared PerToken; nothing else is built yet.");
  using policy_kind = kind::input;
  static constexpr bool quantizes = true;
  static constexpr float code_max = static_cast<float>(G::code_max);

  struct Token {
    float scale = 1.0f, zero_point = 0.0f;
  };

  /// scale = max((max - min) / (2^b - 1), 1e-8). An empty token is { 1e-8, 0 }.
  static Token observe(std::span<const float> x) {
    if (x.empty()) return {1e-8f, 0.0f};
    float low = x[0], high = x[0];
    for (const float value : x) {
      low = std::min(low, value);
      high = std::max(high, value);
    }
    const float scale = std::max((high - low) / code_max, 1e-8f);
    return {scale, ZeroPoint::choose(low, scale, code_max)};
  }

  static void forward(std::span<const float> x, std::span<float> x_hat) {
    const Token token = observe(x);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const float code = round_half_even(x[i] / token.scale) + token.zero_point;
      x_hat[i] = token.scale * (clamp(code, 0.0f, code_max) - token.zero_point);
    }
  }

  /// grad *= 1 where the code was inside its range, ends included, else 0.
  static void backward(std::span<const float> x, std::span<float> grad) {
    const Token token = observe(x);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const float code = round_half_even(x[i] / token.scale) + token.zero_point;
      if (!(code >= 0.0f && code <= code_max)) grad[i] = 0.0f;
    }
  }
};

static_assert(InputQuantizer<Input<UInt<8>>>);

}  // namespace lrqat

#endif  // LRQAT_INPUT_INPUT_HPP
