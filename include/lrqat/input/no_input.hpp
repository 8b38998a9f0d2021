// SPDX-License-Identifier: MIT
// input/no_input.hpp: activations stay as they are (weight-only quantization).
#ifndef LRQAT_INPUT_NO_INPUT_HPP
#define LRQAT_INPUT_NO_INPUT_HPP

#include <lrqat/concept/input_quantizer.hpp>

namespace lrqat {

struct NoInput {
  using policy_kind = kind::input;
  static constexpr bool quantizes = false;
  static void forward(std::span<const float>, std::span<float>) {}
  static void backward(std::span<const float>, std::span<float>) {}
};

static_assert(InputQuantizer<NoInput>);

}  // namespace lrqat

#endif  // LRQAT_INPUT_NO_INPUT_HPP
