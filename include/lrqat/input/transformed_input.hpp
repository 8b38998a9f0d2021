// SPDX-License-Identifier: MIT
// input/transformed_input.hpp: activations that are quantized in another basis.
#ifndef LRQAT_INPUT_TRANSFORMED_INPUT_HPP
#define LRQAT_INPUT_TRANSFORMED_INPUT_HPP

#include <lrqat/concept/input_quantizer.hpp>
#include <lrqat/concept/transform.hpp>
#include <lrqat/core/scratch.hpp>
#include <lrqat/input/no_input.hpp>

#include <algorithm>
#include <cstdint>
#include <span>

namespace lrqat {

/// x_hat = In(T x): a transform and the input quantizer behind it as one input policy, which is how
/// layers carry a transform. Write QuantLinear<..., Hadamard<>, RmsInput<MidRise<4>>>: it makes one
/// of both, and freezes W0 T^-1.
template <Transform T, InputQuantizer In = NoInput>
struct TransformedInput {
  using policy_kind = kind::input;
  using transform = T;
  static constexpr bool quantizes = true;

  static void forward(std::span<const float> x, std::span<float> x_hat) {
    if constexpr (In::quantizes) {
      In::forward(transformed(x), x_hat);
    } else {
      std::copy(x.begin(), x.end(), x_hat.begin());
      T::apply(x_hat);
    }
  }

  /// What In lets through in the new basis, taken back to the old one.
  static void backward(std::span<const float> x, std::span<float> grad) {
    if constexpr (In::quantizes) In::backward(transformed(x), grad);
    T::apply_adjoint(grad);
  }

  static constexpr bool has_integer_codes = IntegerInput<In>;
  static auto quantize(std::span<const float> x,
                       std::span<std::uint8_t> codes) requires has_integer_codes {
    return In::quantize(transformed(x), codes);
  }

 private:
  /// T x in this thread's scratch, until the next one.
  static std::span<const float> transformed(std::span<const float> x) {
    const std::span<float> own = scratch<struct transformed_token_slot>(1, x.size()).row(0);
    std::copy(x.begin(), x.end(), own.begin());
    T::apply(own);
    return own;
  }
};

/// The input policy of a layer with this transform and this quantizer.
template <class T, class In>
struct input_behind {
  using type = In;
};
template <Transform T, InputQuantizer In>
requires(T::changes_basis) struct input_behind<T, In> {
  using type = TransformedInput<T, In>;
};

/// `Next` in place of the quantizer of `In`; the transform stays.
template <class In, class Next>
struct replace_quantizer {
  using type = Next;
};
template <class T, class In, class Next>
requires(!changes_basis<Next>) struct replace_quantizer<TransformedInput<T, In>, Next> {
  using type = TransformedInput<T, Next>;
};

}  // namespace lrqat

#endif  // LRQAT_INPUT_TRANSFORMED_INPUT_HPP
