// SPDX-License-Identifier: MIT
// concept/input_quantizer.hpp: how activations are quantized on their way into the layer.
#ifndef LRQAT_CONCEPT_INPUT_QUANTIZER_HPP
#define LRQAT_CONCEPT_INPUT_QUANTIZER_HPP

#include <lrqat/core/policy.hpp>

#include <concepts>
#include <cstdint>
#include <span>

namespace lrqat {

// clang-format off
/// quantizes                  false: x enters as it is, and the two functions are never called
/// forward(x, x_hat)          one token: its fake-quantized value
/// backward(x, grad)          one token: turns dL/dx_hat into dL/dx in place
/// transform                  optional: x_hat is in the basis of T x for this type T, and so is the
///                            weight of a layer with it (TransformedInput)
template <class I>
concept InputQuantizer = PolicyOf<I, kind::input> &&
    requires(std::span<const float> x, std::span<float> out) {
      bool{I::quantizes};
      I::forward(x, out);
      I::backward(x, out);
    };

/// An input quantizer whose codes are bytes and whose zero point is one of them:
///
/// quantize(x, codes)         one token: writes its codes and returns its scale and zero_point, so
///                            that x_hat = scale * (code - zero_point) where x is finite; in a token
///                            with a value that is not, the scale is NaN, like all of x W^T
template <class I>
concept IntegerInput = InputQuantizer<I> &&
    requires(std::span<const float> x, std::span<std::uint8_t> codes) {
      requires I::has_integer_codes;
      { I::quantize(x, codes).scale } -> std::convertible_to<float>;
      { I::quantize(x, codes).zero_point } -> std::convertible_to<float>;
    };
// clang-format on

/// Whether a layer with this input has its weight in another basis than its x.
template <class In>
inline constexpr bool changes_basis = requires { typename In::transform; };

}  // namespace lrqat

#endif  // LRQAT_CONCEPT_INPUT_QUANTIZER_HPP
