// SPDX-License-Identifier: MIT
// input/token_quantizer.hpp: the mathematics of dynamic activation quantization, one token at a
// time.
#ifndef LRQAT_INPUT_TOKEN_QUANTIZER_HPP
#define LRQAT_INPUT_TOKEN_QUANTIZER_HPP

#include <lrqat/core/config.hpp>        // LRQAT_INDEPENDENT, LRQAT_INLINE, LRQAT_PARTIALS
#include <lrqat/core/numeric.hpp>       // round_half_even, clamp
#include <lrqat/kernel/reduce.hpp>      // extremes_over
#include <lrqat/kernel/vectorised.hpp>  // for_each_lane

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

namespace lrqat {

/// The zero point -min / scale as it is: end points are met exactly, but it is no integer format.
struct RealZeroPoint {
  template <class T>
  LRQAT_INLINE static T choose(T low, T scale, T /*code_max*/) {
    return -low / scale;
  }
};

/// The zero point rounded into the codes, as integer kernels need it.
struct IntegerZeroPoint {
  template <class T>
  LRQAT_INLINE static T choose(T low, T scale, T code_max) {
    return clamp(round_half_even(-low / scale), T(0), code_max);
  }
};

/// What the numbers of a token share: x_hat = scale * (clip(round(x / scale) + zero_point, 0,
/// code_max) - zero_point) (lr-qat, section 1.10).
template <class T>
struct TokenScale {
  T scale = 1, zero_point = 0;

  /// x in whole steps; NaN stays NaN.
  LRQAT_INLINE T steps(T x) const { return round_half_even(x / scale); }
  LRQAT_INLINE T value(T step, T code_max) const {
    return scale * (clamp(step + zero_point, T(0), code_max) - zero_point);
  }
  /// Where the gradient passes: inside the range, ends included.
  LRQAT_INLINE bool inside(T step, T code_max) const {
    const T code = step + zero_point;
    return code >= T(0) && code <= code_max;
  }

  /// Slopes of x_hat for a scale and a zero point that are learned: d x_hat / d scale =
  /// round(u) - u with u = x / scale inside the range, the end's level outside of it (LSQ,
  /// Esser et al., arXiv 1902.08153, equation 3); d x_hat / d zero_point = 0 or -scale (LSQ+).
  LRQAT_INLINE T scale_slope(T x, T code_max) const {
    const T u = x / scale, step = round_half_even(u);
    const T code = step + zero_point, end = clamp(code, T(0), code_max);
    return end == code ? step - u : end - zero_point;
  }
  LRQAT_INLINE T zero_point_slope(T x, T code_max) const {
    return inside(steps(x), code_max) ? T(0) : -scale;
  }

  /// The step of code 0 where codes are stored: code = clip(steps - first_step, 0, code_max), and
  /// value(code + first_step) gives x_hat again. A real zero point z clips the steps next to it at
  /// one end, which leaves code_max + 1 values. Only where z lies in the very middle between two
  /// integers may it clip at both ends; then the value below stands for the highest, which has no
  /// code.
  LRQAT_INLINE T first_step() const { return round_half_even(-zero_point); }
  /// `first` is first_step(), which a loop need not find anew.
  LRQAT_INLINE T code(T x, T first, T code_max) const {
    return clamp(steps(x) - first, T(0), code_max);
  }
  LRQAT_INLINE T value_of_code(T code, T first, T code_max) const {
    return value(code + first, code_max);
  }
};

/// scale = max((high - low) / code_max, 1e-8). For use inside vectorised().
template <class ZeroPoint, class T>
LRQAT_INLINE TokenScale<T> token_of_range(T low, T high, T code_max) {
  constexpr T floor = T(1e-8f);
  const T range = (high - low) / code_max;
  const T scale = range < floor ? floor : range;
  return {scale, ZeroPoint::choose(low, scale, code_max)};
}

/// The token of the range of x; zero need not lie in the token's range. NaNs behind
/// the first number are passed over. An empty token has { 1e-8, 0 }. For use inside vectorised().
template <class ZeroPoint, class T>
LRQAT_INLINE TokenScale<T> observe_token(std::span<const T> x, T code_max) {
  if (x.empty()) return {T(1e-8f), T(0)};
  const auto [low, high] =
      kernel::extremes_over(x.data(), x.size(), kernel::Extremes<T>{x[0], x[0]});
  return token_of_range<ZeroPoint>(low, high, code_max);
}

/// x_hat may be x. For use inside vectorised().
template <class T>
LRQAT_INLINE void quantize_token(TokenScale<T> token, T code_max, std::span<const T> x,
                                 std::span<T> x_hat) {
  kernel::for_each_lane(x.size(), [=, from = x.data(), to = x_hat.data()](std::size_t i) {
    to[i] = token.value(token.steps(from[i]), code_max);
  });
}

/// grad *= 1 where x was inside the range, else 0. For use inside vectorised().
template <class T>
LRQAT_INLINE void mask_token(TokenScale<T> token, T code_max, std::span<const T> x,
                             std::span<T> grad) {
  kernel::for_each_lane(x.size(), [=, from = x.data(), to = grad.data()](std::size_t i) {
    to[i] = token.inside(token.steps(from[i]), code_max) ? to[i] : T(0);
  });
}

/// codes[i] = code_of(x[i]) limited to [0, code_max], code_max <= 255. False where a number is NaN
/// or infinite; the codes mean nothing then. What follows x in memory, most often the next token,
/// is fetched meanwhile. For use inside vectorised().
template <class CodeOf>
LRQAT_INLINE bool write_codes(std::span<const float> x, CodeOf code_of, float code_max,
                              std::span<std::uint8_t> codes) {
  // One max and one min, of which the first makes NaN 0.
  const auto whole = [=](float value) LRQAT_INLINE_LAMBDA {
    const float code = code_of(value), raised = code > 0.0f ? code : 0.0f;
    return static_cast<std::int32_t>(raised < code_max ? raised : code_max);
  };
  float total[64] = {};  // NaN as soon as a number is
  std::size_t first = 0;
  const auto in_blocks = [&](auto size) LRQAT_INLINE_LAMBDA {
    constexpr std::size_t block = size;
    for (; first + block <= x.size(); first += block) {
      const float* const from = x.data() + first;
      std::uint8_t* const to = codes.data() + first;
      std::int32_t integer[block];
      for (std::size_t i = 0; i < block; i += 16) __builtin_prefetch(from + x.size() + i, 0, 2);
      LRQAT_INDEPENDENT
      for (std::size_t i = 0; i < block; ++i) integer[i] = whole(from[i]);
      LRQAT_PARTIALS
      for (std::size_t i = 0; i < block; ++i) total[i] += from[i] * 0.0f;
      LRQAT_INDEPENDENT
      for (std::size_t i = 0; i < block; ++i) to[i] = static_cast<std::uint8_t>(integer[i]);
    }
  };
  in_blocks(std::integral_constant<std::size_t, 64>{});
  in_blocks(std::integral_constant<std::size_t, 16>{});
  in_blocks(std::integral_constant<std::size_t, 1>{});
  bool numbers = true;
  for (const float each : total) numbers = numbers && each == each;
  return numbers;
}

}  // namespace lrqat

#endif  // LRQAT_INPUT_TOKEN_QUANTIZER_HPP
