// SPDX-License-Identifier: MIT
// concept/input_quantizer.hpp: how activations are quantized on their way into the layer.
#ifndef LRQAT_CONCEPT_INPUT_QUANTIZER_HPP
#define LRQAT_CONCEPT_INPUT_QUANTIZER_HPP

#include <lrqat/core/policy.hpp>

#include <span>

namespace lrqat {

// clang-format off
/// quantizes                  false: x enters as it is, and the two functions are never called
/// forward(x, x_hat)          one token: its fake-quantized value
/// backward(x, grad)          one token: turns dL/dx_hat into dL/dx in place
template <class I>
concept InputQuantizer = PolicyOf<I, kind::input> &&
    requires(std::span<const float> x, std::span<float> out) {
      bool{I::quantizes};
      I::forward(x, out);
      I::backward(x, out);
    };
// clang-format on

}  // namespace lrqat

#endif  // LRQAT_CONCEPT_INPUT_QUANTIZER_HPP
