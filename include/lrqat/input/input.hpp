// SPDX-License-Identifier: MIT
// input/input.hpp: dynamic activation quantization, a scale and a zero point for each token.
#ifndef LRQAT_INPUT_INPUT_HPP
#define LRQAT_INPUT_INPUT_HPP

#include <lrqat/concept/grid.hpp>
#include <lrqat/concept/input_quantizer.hpp>
#include <lrqat/core/numeric.hpp>  // clamp
#include <lrqat/grid/uint.hpp>
#include <lrqat/input/token_quantizer.hpp>
#include <lrqat/kernel/vectorised.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

namespace lrqat {

/// One scale and zero point for each row of x, found from its extremes when it arrives.
struct PerToken {};

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

  using Token = TokenScale<float>;

  /// scale = max((max - min) / (2^b - 1), 1e-8). An empty token is { 1e-8, 0 }. NaN is passed over
  /// unless it comes first.
  static Token observe(std::span<const float> x) {
    Token token;
    kernel::vectorised([&] { token = observe_token<ZeroPoint>(x, code_max); });
    return token;
  }

  static void forward(std::span<const float> x, std::span<float> x_hat) {
    kernel::vectorised(
        [=] { quantize_token(observe_token<ZeroPoint>(x, code_max), code_max, x, x_hat); });
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
        finite = write_codes(
            x,
            [=](float value) LRQAT_INLINE_LAMBDA {
              return token.steps(value) + token.zero_point;
            },
            code_max, codes);
      });
    if (finite) return token;
    std::fill(codes.begin(), codes.end(), std::uint8_t{0});
    return {std::numeric_limits<float>::quiet_NaN(), 0.0f};
  }

  /// grad *= 1 where the code was inside its range, ends included, else 0.
  static void backward(std::span<const float> x, std::span<float> grad) {
    kernel::vectorised(
        [=] { mask_token(observe_token<ZeroPoint>(x, code_max), code_max, x, grad); });
  }
};

static_assert(InputQuantizer<Input<UInt<8>>>);
static_assert(IntegerInput<Input<UInt<8>, PerToken, IntegerZeroPoint>>);

}  // namespace lrqat

#endif  // LRQAT_INPUT_INPUT_HPP
