// SPDX-License-Identifier: MIT
// examples/lab/integer_layer.cpp: Compute<int8> on the grids that its kernels are made for.
#include "integer_layer.hpp"

#include "layer_factory.hpp"  // input_of

#include <lrqat/compute/compute.hpp>
#include <lrqat/core/expects.hpp>
#include <lrqat/grid/int.hpp>
#include <lrqat/grid/uint.hpp>
#include <lrqat/input/input.hpp>
#include <lrqat/linear/merged_linear.hpp>
#include <lrqat/linear/quantized_input_linear.hpp>

#include <utility>

namespace lrqat::lab {

namespace {

template <class G>
AnyLinear layer_on(const MergedWeight& weight, int input_bits) {
  auto merged = merged_linear<MergedLinear<G>>(weight);
  if (input_bits == 4)
    return AnyLinear(
        std::move(merged)
            .template in<Compute<int8>, Input<UInt<4>, PerToken, IntegerZeroPoint>>());
  return AnyLinear(
      std::move(merged).template in<Compute<int8>, Input<UInt<8>, PerToken, IntegerZeroPoint>>());
}

template <int Bits>
AnyLinear layer_of(const MergedWeight& weight, int input_bits) {
  return weight.has_zero_point ? layer_on<UInt<Bits>>(weight, input_bits)
                               : layer_on<Int<Bits>>(weight, input_bits);
}

bool is_compiled(int weight_bits, const AnyInput& input) {
  const bool weight = weight_bits == 8 || (weight_bits >= 2 && weight_bits <= 4);
  return weight && (input.bits == 4 || input.bits == 8) &&
         input.zero_point == ZeroPointMode::integer;
}

}  // namespace

bool has_integer_products(const Scheme& scheme) {
  return is_compiled(scheme.bits, input_of(scheme, scheme.activation_bits));
}

AnyLinear integer_layer(const MergedWeight& weight, const AnyInput& input) {
  expects(is_compiled(weight.bits, input),
          "integer products are compiled for weights of 2, 3, 4 and 8 bits and inputs of 4 and 8 ",
          "with integer zero points, not for ", weight.bits, " bits and inputs of ", input.bits,
          input.zero_point == ZeroPointMode::real ? " with real ones" : "");
  return weight.bits == 2   ? layer_of<2>(weight, input.bits)
         : weight.bits == 3 ? layer_of<3>(weight, input.bits)
         : weight.bits == 4 ? layer_of<4>(weight, input.bits)
                            : layer_of<8>(weight, input.bits);
}

Model in_integers(const Model& model) {
  const auto change = [](const AnyLinear& layer, const LinearName& which) {
    const auto* const quantized = layer.get_if<QuantizedInputLinear>();
    expects(quantized != nullptr, which.text(), ": its inputs are not quantized, so its products ",
            "are none of integers");
    return integer_layer(quantized->layer().merged_weight(), quantized->input());
  };
  return model.convert<AnyLinear>(change, LlamaOptions{.activations = model.options().activations});
}

}  // namespace lrqat::lab
