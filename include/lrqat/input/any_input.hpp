// SPDX-License-Identifier: MIT
// input/any_input.hpp: Input with bits and zero points chosen at run time.
#ifndef LRQAT_INPUT_ANY_INPUT_HPP
#define LRQAT_INPUT_ANY_INPUT_HPP

#include <lrqat/core/expects.hpp>
#include <lrqat/input/token_quantizer.hpp>
#include <lrqat/kernel/vectorised.hpp>

#include <span>

namespace lrqat {

enum class ZeroPointMode {
  real,    // RealZeroPoint: clips one end of nearly every token, which then has no gradient
  integer  // IntegerZeroPoint
};

/// The values and gradients of Input<UInt<bits>, PerToken, ...>, for models whose scheme is a value.
struct AnyInput {
  int bits = 0;  // 2 ... 8; 0: what comes stays as it is
  ZeroPointMode zero_point = ZeroPointMode::real;

  bool quantizes() const { return bits != 0; }
  float code_max() const { return static_cast<float>((1 << bits) - 1); }

  /// Errors: bits that are neither 0 nor 2 ... 8.
  void check(const char* what) const {
    expects(bits == 0 || (bits >= 2 && bits <= 8), what, " of ", bits,
            " bits: 2 ... 8 can be quantized to, 0 is none");
  }

  /// For use inside vectorised(), like the functions of token_quantizer.hpp.
  template <class T>
  LRQAT_INLINE TokenScale<T> observe(std::span<const T> x) const {
    const T most = static_cast<T>(code_max());
    return zero_point == ZeroPointMode::real ? observe_token<RealZeroPoint>(x, most)
                                         : observe_token<IntegerZeroPoint>(x, most);
  }

  /// One token: its fake-quantized value. x_hat may be x.
  void forward(std::span<const float> x, std::span<float> x_hat) const {
    kernel::vectorised([&, this] { quantize_token(observe(x), code_max(), x, x_hat); });
  }
  /// One token: turns dL/dx_hat into dL/dx in place.
  void backward(std::span<const float> x, std::span<float> grad) const {
    kernel::vectorised([&, this] { mask_token(observe(x), code_max(), x, grad); });
  }

  bool operator==(const AnyInput&) const = default;
};

}  // namespace lrqat

#endif  // LRQAT_INPUT_ANY_INPUT_HPP
