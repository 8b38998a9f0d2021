// SPDX-License-Identifier: MIT
// linear/quantized_input_linear.hpp: quantized activations in front of any layer, chosen at run
// time.
#ifndef LRQAT_LINEAR_QUANTIZED_INPUT_LINEAR_HPP
#define LRQAT_LINEAR_QUANTIZED_INPUT_LINEAR_HPP

#include <lrqat/concept/linear_layer.hpp>
#include <lrqat/core/expects.hpp>
#include <lrqat/input/any_input.hpp>
#include <lrqat/linear/any_linear.hpp>
#include <lrqat/linear/behind_input.hpp>

#include <cstddef>
#include <utility>

namespace lrqat {

/// y = layer(Q(x)), Q token by token: what the policy Input does inside a QuantLinear, around a
/// layer whose type is not known. Gradients pass Q straight through, but where it clips.
class QuantizedInputLinear : public detail::BehindInput<QuantizedInputLinear> {
 public:
  /// Errors: an input of no bits, or of bits that nothing quantizes to.
  QuantizedInputLinear(AnyLinear layer, const AnyInput& input)
      : BehindInput(std::move(layer)), input_(input) {
    input_.check("QuantizedInputLinear: inputs");
    expects(input_.quantizes(), "QuantizedInputLinear: an input of 0 bits is not quantized; use ",
            "the layer alone");
  }

  const AnyInput& input() const { return input_; }

  /// The merged layer behind the same quantizer: the same bits.
  /// @throws Error for a layer that has no codes to merge into
  QuantizedInputLinear merge() const { return {layer().merge(), input_}; }

 private:
  friend class detail::BehindInput<QuantizedInputLinear>;
  const AnyInput& input_of(std::size_t) const { return input_; }

  AnyInput input_;
};

static_assert(LinearLayer<QuantizedInputLinear>);

}  // namespace lrqat

#endif  // LRQAT_LINEAR_QUANTIZED_INPUT_LINEAR_HPP
