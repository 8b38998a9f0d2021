// SPDX-License-Identifier: MIT
// input/input.hpp: dynamic activation quantization, a scale and a zero point for each token.
#ifndef LRQAT_INPUT_INPUT_HPP
#define LRQAT_INPUT_INPUT_HPP

#include <lrqat/concept/grid.hpp>
#include <lrqat/concept/input_quantizer.hpp>
#include <lrqat/core/numeric.hpp>  // round_half_even, clamp
#include <lrqat/grid/uint.hpp>
#include <lrqat/kernel/vectorised.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

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
  static_assert(
      Grid<G> && G::has_zero_point,
      "Input<Grid>: activations are quantized on an unsigned grid; write Input<UInt<8>>.");
  static_assert(std::same_as<Sharing, PerToken>,
                "Input<Grid, Sharing>: scales are shared PerToken; nothing else is built yet.");
  using policy_kind = kind::input;
  static constexpr bool quantizes = true;
  static constexpr float code_max = static_cast<float>(G::code_max);

  struct Token {
    float scale = 1.0f, zero_point = 0.0f;
  };

  /// scale = max((max - min) / (2^b - 1), 1e-8). An empty token is { 1e-8, 0 }. NaN is passed over
  /// unless it comes first.
  static Token observe(std::span<const float> x) {
    if (x.empty()) return {1e-8f, 0.0f};
    constexpr std::size_t lanes = 16;
    float low[lanes], high[lanes];
    kernel::vectorised([&] {
      std::fill_n(low, lanes, x[0]);
      std::fill_n(high, lanes, x[0]);
      const auto extend = [&](std::size_t lane, float value) LRQAT_INLINE_LAMBDA {
        low[lane] = value < low[lane] ? value : low[lane];
        high[lane] = high[lane] < value ? value : high[lane];
      };
      std::size_t first = 0;
      for (; first + lanes <= x.size(); first += lanes) {
        LRQAT_INDEPENDENT
        for (std::size_t lane = 0; lane < lanes; ++lane) extend(lane, x[first + lane]);
      }
      for (std::size_t lane = 0; first + lane < x.size(); ++lane) extend(lane, x[first + lane]);
    });
    for (std::size_t lane = 1; lane < lanes; ++lane) {
      low[0] = std::min(low[0], low[lane]);
      high[0] = std::max(high[0], high[lane]);
    }
    const float scale = std::max((high[0] - low[0]) / code_max, 1e-8f);
    return {scale, ZeroPoint::choose(low[0], scale, code_max)};
  }

  static void forward(std::span<const float> x, std::span<float> x_hat) {
    const Token token = observe(x);
    for (std::size_t i = 0; i < x.size(); ++i)
      x_hat[i] = token.scale * (code_of(x[i], token) - token.zero_point);
  }

  /// The zero point is a code, and codes are bytes: what integer kernels take.
  static constexpr bool has_integer_codes =
      std::same_as<ZeroPoint, IntegerZeroPoint> && G::code_min == 0 && G::code_max <= 255;

  /// The codes of forward's x_hat, as they are. A token with a value that is not finite, or with a
  /// range that overflows, has the scale NaN and zeros.
  static Token quantize(std::span<const float> x,
                        std::span<std::uint8_t> codes) requires has_integer_codes {
    const Token token = observe(x);
    bool finite = token.scale < std::numeric_limits<float>::infinity();
    if (finite)
      kernel::vectorised([&] {
        constexpr std::size_t block = 64, lanes = 16;
        float total[lanes] = {};  // NaN as soon as a code is
        for (std::size_t first = 0; first < x.size(); first += block) {
          const std::size_t count = std::min(block, x.size() - first);
          alignas(64) float code[block] = {};
          alignas(64) std::int32_t integer[block];
          kernel::for_each_lane(count,
                                [=, from = x.data() + first, to = code](std::size_t i)
                                    LRQAT_INLINE_LAMBDA { to[i] = code_of(from[i], token); });
          for (std::size_t part = 0; part < block; part += lanes) {
            LRQAT_INDEPENDENT
            for (std::size_t lane = 0; lane < lanes; ++lane) total[lane] += code[part + lane];
          }
          LRQAT_INDEPENDENT
          for (std::size_t i = 0; i < block; ++i)
            integer[i] = static_cast<std::int32_t>(code[i] >= 0.0f ? code[i] : 0.0f);
          kernel::for_each_lane<block>(
              count, [from = integer, to = codes.data() + first](std::size_t i)
                         LRQAT_INLINE_LAMBDA { to[i] = static_cast<std::uint8_t>(from[i]); });
        }
        for (const float each : total) finite = finite && each == each;
      });
    if (finite) return token;
    std::fill(codes.begin(), codes.end(), std::uint8_t{0});
    return {std::numeric_limits<float>::quiet_NaN(), 0.0f};
  }

  /// grad *= 1 where the code was inside its range, ends included, else 0.
  static void backward(std::span<const float> x, std::span<float> grad) {
    const Token token = observe(x);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const float code = round_half_even(x[i] / token.scale) + token.zero_point;
      if (!(code >= 0.0f && code <= code_max)) grad[i] = 0.0f;
    }
  }

 private:
  LRQAT_INLINE static float code_of(float x, const Token& token) {
    return clamp(round_half_even(x / token.scale) + token.zero_point, 0.0f, code_max);
  }
};

static_assert(InputQuantizer<Input<UInt<8>>>);
static_assert(IntegerInput<Input<UInt<8>, PerToken, IntegerZeroPoint>>);

}  // namespace lrqat

#endif  // LRQAT_INPUT_INPUT_HPP
